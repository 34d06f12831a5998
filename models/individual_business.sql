-- Features of an individual business (个体工商户) on a day: short lives, small sums, an operator and no balance sheet.
-- Every table shows what had happened and was known on that day; dates that lie after as_of read as null.
WITH penalties AS (
  SELECT subject,
    count(*) FILTER (WHERE decided_on >= as_of - INTERVAL 12 MONTH) AS penalties_12m,
    count(*) FILTER (WHERE decided_on < as_of - INTERVAL 12 MONTH) AS penalties_older,
    count(*) FILTER (WHERE severity = 'serious') AS penalties_serious,
    sum(coalesce(fine, 0) + coalesce(confiscated, 0)) FILTER (WHERE decided_on >= as_of - INTERVAL 24 MONTH) AS fines_24m
  FROM administrative_penalty
  WHERE decided_on >= as_of - INTERVAL 36 MONTH
  GROUP BY subject
), judgments AS (
  SELECT subject, count(*) AS judgments_24m
  FROM judgment_debtor WHERE filed_on >= as_of - INTERVAL 24 MONTH GROUP BY subject
), dishonest AS (
  SELECT subject, count(*) AS dishonest_in_force
  FROM dishonest_judgment_debtor WHERE performance <> '全部已履行' GROUP BY subject
), lists AS (
  SELECT subject, count(*) AS serious_lists_in_force FROM serious_dishonesty_list GROUP BY subject
), abnormal AS (
  SELECT subject,
    count(*) FILTER (WHERE removed_on IS NULL) AS abnormal_in_force,
    count(*) FILTER (WHERE marked_on >= as_of - INTERVAL 36 MONTH) AS abnormal_36m
  FROM abnormal_operation_mark GROUP BY subject
), ratings AS (
  SELECT subject,
    arg_max(CASE level WHEN 'A' THEN 4 WHEN 'B' THEN 3 WHEN 'M' THEN 2 WHEN 'C' THEN 1 ELSE 0 END, "year") AS tax_level
  FROM tax_credit_rating WHERE rated_on >= as_of - INTERVAL 24 MONTH GROUP BY subject
), arrears AS (
  SELECT subject, count(*) AS tax_arrears_12m
  FROM tax_arrears WHERE announced_on >= as_of - INTERVAL 12 MONTH GROUP BY subject
), insurance AS (
  SELECT subject, count(DISTINCT date_trunc('month', month_on)) AS insurance_arrears_months_12m
  FROM social_insurance_arrears WHERE month_on >= as_of - INTERVAL 12 MONTH GROUP BY subject
), utilities AS (
  SELECT subject,
    count(DISTINCT date_trunc('month', month_on)) AS utility_arrears_months_12m,
    sum(amount) AS utility_arrears_amount_12m
  FROM utility_arrears WHERE month_on >= as_of - INTERVAL 12 MONTH GROUP BY subject
), commitments AS (
  SELECT subject,
    count(*) FILTER (WHERE fulfilment = '全部履行') AS commitments_kept_36m,
    count(*) FILTER (WHERE fulfilment <> '全部履行') AS commitments_broken_36m
  FROM credit_commitment
  WHERE confirmed_on IS NOT NULL AND committed_on >= as_of - INTERVAL 36 MONTH
  GROUP BY subject
), licences AS (
  SELECT subject, count(*) AS licences_24m
  FROM administrative_licence WHERE licensed_on >= as_of - INTERVAL 24 MONTH GROUP BY subject
), honours AS (
  SELECT subject, count(*) AS honours_in_force FROM honour WHERE valid_until IS NULL GROUP BY subject
), invoices AS (
  SELECT subject,
    sum(amount) FILTER (WHERE direction = 'out' AND NOT void AND issued_on >= as_of - INTERVAL 6 MONTH) AS sales_6m,
    sum(amount) FILTER (WHERE direction = 'out' AND NOT void AND issued_on < as_of - INTERVAL 6 MONTH) AS sales_before,
    avg(CASE WHEN void THEN 1 ELSE 0 END) FILTER (WHERE direction = 'out') AS void_share_12m
  FROM invoice WHERE issued_on >= as_of - INTERVAL 12 MONTH GROUP BY subject
), loans AS (
  SELECT subject,
    max(overdue_days) FILTER (WHERE reported_on >= as_of - INTERVAL 6 MONTH) AS loan_overdue_6m,
    count(*) FILTER (WHERE overdue_days >= 1) AS loan_late_reports_24m
  FROM loan_performance WHERE reported_on >= as_of - INTERVAL 24 MONTH GROUP BY subject
)
SELECT o.subject,
  date_diff('year', r.registered_on, o.as_of) AS business_age_years,
  coalesce(p.penalties_12m, 0) AS penalties_12m,
  coalesce(p.penalties_older, 0) AS penalties_older,
  coalesce(p.penalties_serious, 0) AS penalties_serious,
  coalesce(p.fines_24m, 0) AS fines_24m,
  coalesce(j.judgments_24m, 0) AS judgments_24m,
  coalesce(d.dishonest_in_force, 0) AS dishonest_in_force,
  coalesce(l.serious_lists_in_force, 0) AS serious_lists_in_force,
  coalesce(a.abnormal_in_force, 0) AS abnormal_in_force,
  coalesce(a.abnormal_36m, 0) AS abnormal_36m,
  t.tax_level AS tax_level,
  coalesce(x.tax_arrears_12m, 0) AS tax_arrears_12m,
  coalesce(s.insurance_arrears_months_12m, 0) AS insurance_arrears_months_12m,
  coalesce(u.utility_arrears_months_12m, 0) AS utility_arrears_months_12m,
  coalesce(u.utility_arrears_amount_12m, 0) AS utility_arrears_amount_12m,
  coalesce(k.commitments_kept_36m, 0) AS commitments_kept_36m,
  coalesce(k.commitments_broken_36m, 0) AS commitments_broken_36m,
  coalesce(n.licences_24m, 0) AS licences_24m,
  coalesce(h.honours_in_force, 0) AS honours_in_force,
  (coalesce(i.sales_6m, 0) - coalesce(i.sales_before, 0))
    / nullif(coalesce(i.sales_6m, 0) + coalesce(i.sales_before, 0), 0) AS sales_trend_12m,
  i.void_share_12m AS void_share_12m,
  b.loan_overdue_6m AS loan_overdue_6m,
  b.loan_late_reports_24m AS loan_late_reports_24m
FROM observation o
LEFT JOIN registration r USING (subject)
LEFT JOIN penalties p USING (subject)
LEFT JOIN judgments j USING (subject)
LEFT JOIN dishonest d USING (subject)
LEFT JOIN lists l USING (subject)
LEFT JOIN abnormal a USING (subject)
LEFT JOIN ratings t USING (subject)
LEFT JOIN arrears x USING (subject)
LEFT JOIN insurance s USING (subject)
LEFT JOIN utilities u USING (subject)
LEFT JOIN commitments k USING (subject)
LEFT JOIN licences n USING (subject)
LEFT JOIN honours h USING (subject)
LEFT JOIN invoices i USING (subject)
LEFT JOIN loans b USING (subject)
