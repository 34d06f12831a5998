-- Features of an enterprise on a day. Every table shows what had happened and was known on that day, and no more.
-- Windows are whole months back from as_of; dates that lie after as_of read as null.
WITH penalties AS (
  SELECT subject,
    count(*) FILTER (WHERE decided_on >= as_of - INTERVAL 12 MONTH) AS penalties_12m,
    count(*) FILTER (WHERE decided_on < as_of - INTERVAL 12 MONTH) AS penalties_older,
    count(*) FILTER (WHERE severity = 'serious') AS penalties_serious,
    sum(coalesce(fine, 0) + coalesce(confiscated, 0)) FILTER (WHERE decided_on >= as_of - INTERVAL 24 MONTH) AS fines_24m,
    min(date_diff('month', decided_on, as_of)) AS months_since_penalty
  FROM administrative_penalty
  WHERE decided_on >= as_of - INTERVAL 36 MONTH
  GROUP BY subject
), judgments AS (
  SELECT subject, count(*) AS judgments_24m, sum(coalesce(amount, 0)) AS judgments_amount_24m
  FROM judgment_debtor WHERE filed_on >= as_of - INTERVAL 24 MONTH GROUP BY subject
), dishonest AS (
  SELECT subject, count(*) AS dishonest_in_force
  FROM dishonest_judgment_debtor WHERE performance <> '全部已履行' GROUP BY subject
), lists AS (
  SELECT subject, count(*) AS serious_lists_in_force FROM serious_dishonesty_list GROUP BY subject
), abnormal AS (
  SELECT subject,
    count(*) FILTER (WHERE removed_on IS NULL) AS abnormal_in_force,
    count(*) FILTER (WHERE listed_on >= as_of - INTERVAL 36 MONTH) AS abnormal_36m
  FROM abnormal_operation_list GROUP BY subject
), ratings AS (
  SELECT subject,
    arg_max(CASE level WHEN 'A' THEN 4 WHEN 'B' THEN 3 WHEN 'M' THEN 2 WHEN 'C' THEN 1 ELSE 0 END, "year") AS tax_level,
    arg_max(CASE WHEN level = 'D' THEN 1 ELSE 0 END, "year") AS tax_level_d
  FROM tax_credit_rating WHERE rated_on >= as_of - INTERVAL 24 MONTH GROUP BY subject
), arrears AS (
  SELECT subject, count(*) AS tax_arrears_12m, sum(amount) AS tax_arrears_amount_12m
  FROM tax_arrears WHERE announced_on >= as_of - INTERVAL 12 MONTH GROUP BY subject
), insurance AS (
  SELECT subject,
    count(DISTINCT date_trunc('month', month_on)) AS insurance_arrears_months_12m,
    sum(amount) AS insurance_arrears_amount_12m
  FROM social_insurance_arrears WHERE month_on >= as_of - INTERVAL 12 MONTH GROUP BY subject
), utilities AS (
  SELECT subject, count(DISTINCT date_trunc('month', month_on)) AS utility_arrears_months_12m
  FROM utility_arrears WHERE month_on >= as_of - INTERVAL 12 MONTH GROUP BY subject
), commitments AS (
  SELECT subject,
    count(*) FILTER (WHERE fulfilment = '全部履行') AS commitments_kept_36m,
    count(*) FILTER (WHERE fulfilment <> '全部履行') AS commitments_broken_36m
  FROM credit_commitment
  WHERE confirmed_on IS NOT NULL AND committed_on >= as_of - INTERVAL 36 MONTH
  GROUP BY subject
), contracts AS (
  SELECT subject,
    count(*) FILTER (WHERE contract_status = '已履约') AS contracts_performed_36m,
    count(*) FILTER (WHERE contract_status = '违约') AS contracts_broken_36m
  FROM contract_performance WHERE signed_on >= as_of - INTERVAL 36 MONTH GROUP BY subject
), licences AS (
  SELECT subject, count(*) AS licences_24m
  FROM administrative_licence WHERE licensed_on >= as_of - INTERVAL 24 MONTH GROUP BY subject
), honours AS (
  SELECT subject, sum(CASE level WHEN '国家级' THEN 4 WHEN '省级' THEN 3 WHEN '市级' THEN 2 ELSE 1 END) AS honours_in_force
  FROM honour WHERE valid_until IS NULL GROUP BY subject
), invoices AS (
  SELECT subject,
    sum(amount) FILTER (WHERE direction = 'out' AND NOT void AND issued_on >= as_of - INTERVAL 6 MONTH) AS sales_6m,
    sum(amount) FILTER (WHERE direction = 'out' AND NOT void AND issued_on < as_of - INTERVAL 6 MONTH) AS sales_before,
    avg(CASE WHEN void THEN 1 ELSE 0 END) FILTER (WHERE direction = 'out') AS void_share_12m,
    count(DISTINCT counterparty) FILTER (WHERE direction = 'out' AND NOT void) AS customers_12m
  FROM invoice WHERE issued_on >= as_of - INTERVAL 12 MONTH GROUP BY subject
), loans AS (
  SELECT subject,
    max(overdue_days) FILTER (WHERE reported_on >= as_of - INTERVAL 6 MONTH) AS loan_overdue_6m,
    max(overdue_days) AS loan_overdue_24m,
    count(*) FILTER (WHERE overdue_days >= 1) AS loan_late_reports_24m
  FROM loan_performance WHERE reported_on >= as_of - INTERVAL 24 MONTH GROUP BY subject
)
SELECT o.subject,
  date_diff('year', r.registered_on, o.as_of) AS firm_age_years,
  r.capital AS capital,
  coalesce(p.penalties_12m, 0) AS penalties_12m,
  coalesce(p.penalties_older, 0) AS penalties_older,
  coalesce(p.penalties_serious, 0) AS penalties_serious,
  coalesce(p.fines_24m, 0) AS fines_24m,
  p.months_since_penalty AS months_since_penalty,
  coalesce(j.judgments_24m, 0) AS judgments_24m,
  coalesce(j.judgments_amount_24m, 0) AS judgments_amount_24m,
  coalesce(d.dishonest_in_force, 0) AS dishonest_in_force,
  coalesce(l.serious_lists_in_force, 0) AS serious_lists_in_force,
  coalesce(a.abnormal_in_force, 0) AS abnormal_in_force,
  coalesce(a.abnormal_36m, 0) AS abnormal_36m,
  t.tax_level AS tax_level,
  coalesce(t.tax_level_d, 0) AS tax_level_d,
  coalesce(x.tax_arrears_12m, 0) AS tax_arrears_12m,
  coalesce(x.tax_arrears_amount_12m, 0) AS tax_arrears_amount_12m,
  coalesce(s.insurance_arrears_months_12m, 0) AS insurance_arrears_months_12m,
  coalesce(s.insurance_arrears_amount_12m, 0) AS insurance_arrears_amount_12m,
  coalesce(u.utility_arrears_months_12m, 0) AS utility_arrears_months_12m,
  coalesce(k.commitments_kept_36m, 0) AS commitments_kept_36m,
  coalesce(k.commitments_broken_36m, 0) AS commitments_broken_36m,
  coalesce(c.contracts_performed_36m, 0) AS contracts_performed_36m,
  coalesce(c.contracts_broken_36m, 0) AS contracts_broken_36m,
  coalesce(n.licences_24m, 0) AS licences_24m,
  coalesce(h.honours_in_force, 0) AS honours_in_force,
  (coalesce(i.sales_6m, 0) - coalesce(i.sales_before, 0))
    / nullif(coalesce(i.sales_6m, 0) + coalesce(i.sales_before, 0), 0) AS sales_trend_12m,
  i.void_share_12m AS void_share_12m,
  i.customers_12m AS customers_12m,
  b.loan_overdue_6m AS loan_overdue_6m,
  b.loan_overdue_24m AS loan_overdue_24m,
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
LEFT JOIN contracts c USING (subject)
LEFT JOIN licences n USING (subject)
LEFT JOIN honours h USING (subject)
LEFT JOIN invoices i USING (subject)
LEFT JOIN loans b USING (subject)
