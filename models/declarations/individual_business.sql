-- Features of an individual business (个体工商户) on a day: short lives, small sums, an operator and no balance sheet.
-- Every table shows what had happened and was known on that day; dates that lie after as_of read as null.
WITH penalties AS (
  SELECT subject,
    count(*) FILTER (WHERE decided_on >= as_of - INTERVAL 6 MONTH) AS penalties_6m,
    count(*) FILTER (WHERE decided_on >= as_of - INTERVAL 12 MONTH) AS penalties_12m,
    count(*) FILTER (WHERE decided_on < as_of - INTERVAL 12 MONTH) AS penalties_older,
    count(*) AS penalties_36m,
    count(*) FILTER (WHERE severity = 'serious') AS penalties_serious,
    count(*) FILTER (WHERE severity = 'general' AND decided_on >= as_of - INTERVAL 24 MONTH) AS penalties_general_24m,
    count(*) FILTER (WHERE penalty_kind IN ('吊销许可证件', '责令关闭')) AS penalties_closing_36m,
    count(*) FILTER (WHERE penalty_kind IN ('暂扣许可证件', '降低资质等级', '限制开展生产经营活动', '责令停产停业', '限制从业'))
      AS penalties_restricting_36m,
    count(DISTINCT agency_domain) AS penalty_domains_36m,
    sum(coalesce(fine, 0) + coalesce(confiscated, 0)) FILTER (WHERE decided_on >= as_of - INTERVAL 24 MONTH) AS fines_24m,
    max(fine) AS fine_largest_36m
  FROM administrative_penalty
  WHERE decided_on >= as_of - INTERVAL 36 MONTH
  GROUP BY subject
), judgments AS (
  SELECT subject,
    count(*) FILTER (WHERE filed_on >= as_of - INTERVAL 12 MONTH) AS judgments_12m,
    count(*) AS judgments_24m,
    sum(coalesce(amount, 0)) AS judgments_amount_24m,
    min(date_diff('month', filed_on, as_of)) AS months_since_judgment
  FROM judgment_debtor WHERE filed_on >= as_of - INTERVAL 24 MONTH GROUP BY subject
), dishonest AS (
  SELECT subject,
    count(*) FILTER (WHERE performance <> '全部已履行') AS dishonest_in_force,
    count(*) FILTER (WHERE published_on >= as_of - INTERVAL 36 MONTH) AS dishonest_36m
  FROM dishonest_judgment_debtor GROUP BY subject
), lists AS (
  SELECT subject,
    count(*) AS serious_lists_in_force
  FROM serious_dishonesty_list GROUP BY subject
), abnormal AS (
  SELECT subject,
    count(*) FILTER (WHERE removed_on IS NULL) AS abnormal_in_force,
    count(*) FILTER (WHERE removed_on IS NULL AND reason = '经营场所无法联系') AS abnormal_unreachable,
    count(*) FILTER (WHERE marked_on >= as_of - INTERVAL 36 MONTH) AS abnormal_36m,
    count(*) FILTER (WHERE removed_on >= as_of - INTERVAL 36 MONTH) AS abnormal_lifted_36m,
    min(date_diff('month', marked_on, as_of)) AS months_since_abnormal
  FROM abnormal_operation_mark GROUP BY subject
), ratings AS (
  SELECT subject,
    arg_max(score, "year") FILTER (WHERE rated_on >= as_of - INTERVAL 24 MONTH) AS tax_level,
    min(score) AS tax_level_lowest_36m
  FROM (
    SELECT subject, as_of, "year", rated_on,
      CASE level WHEN 'A' THEN 4 WHEN 'B' THEN 3 WHEN 'M' THEN 2 WHEN 'C' THEN 1 ELSE 0 END AS score
    FROM tax_credit_rating WHERE rated_on >= as_of - INTERVAL 36 MONTH
  ) rated GROUP BY subject
), arrears AS (
  SELECT subject,
    count(*) FILTER (WHERE announced_on >= as_of - INTERVAL 12 MONTH) AS tax_arrears_12m,
    count(*) AS tax_arrears_36m,
    min(date_diff('month', announced_on, as_of)) AS months_since_tax_arrears
  FROM tax_arrears WHERE announced_on >= as_of - INTERVAL 36 MONTH GROUP BY subject
), insurance AS (
  SELECT subject,
    count(DISTINCT date_trunc('month', month_on)) FILTER (WHERE month_on >= as_of - INTERVAL 3 MONTH) AS insurance_arrears_months_3m,
    count(DISTINCT date_trunc('month', month_on)) FILTER (WHERE month_on >= as_of - INTERVAL 12 MONTH) AS insurance_arrears_months_12m,
    count(DISTINCT date_trunc('month', month_on)) AS insurance_arrears_months_24m
  FROM social_insurance_arrears WHERE month_on >= as_of - INTERVAL 24 MONTH GROUP BY subject
), utilities AS (
  SELECT subject,
    count(DISTINCT date_trunc('month', month_on)) FILTER (WHERE month_on >= as_of - INTERVAL 3 MONTH) AS utility_arrears_months_3m,
    count(DISTINCT date_trunc('month', month_on)) AS utility_arrears_months_12m,
    sum(amount) AS utility_arrears_amount_12m,
    count(DISTINCT utility_kind) AS utility_kinds_12m
  FROM utility_arrears WHERE month_on >= as_of - INTERVAL 12 MONTH GROUP BY subject
), commitments AS (
  SELECT subject,
    count(*) FILTER (WHERE fulfilment = '全部履行') AS commitments_kept_36m,
    count(*) FILTER (WHERE fulfilment <> '全部履行') AS commitments_broken_36m,
    count(*) FILTER (WHERE fulfilment = '全部未履行') AS commitments_wholly_broken_36m,
    avg(CASE WHEN fulfilment = '全部履行' THEN 0 ELSE 1 END) AS commitment_broken_share_36m
  FROM credit_commitment
  WHERE confirmed_on IS NOT NULL AND committed_on >= as_of - INTERVAL 36 MONTH
  GROUP BY subject
), licences AS (
  SELECT subject,
    count(*) FILTER (WHERE licensed_on >= as_of - INTERVAL 24 MONTH) AS licences_24m,
    count(*) FILTER (WHERE valid_until IS NULL) AS licences_in_force,
    count(DISTINCT licence_kind) FILTER (WHERE valid_until IS NULL) AS licence_kinds
  FROM administrative_licence GROUP BY subject
), honours AS (
  SELECT subject,
    count(*) AS honours_in_force,
    count(*) FILTER (WHERE honour_kind = '名特优新个体工商户') AS notable_title,
    count(*) FILTER (WHERE honour_kind IN ('守信激励名单', '表彰奖励')) AS incentive_lists
  FROM honour WHERE valid_until IS NULL GROUP BY subject
), invoices AS (
  SELECT subject,
    sum(amount) FILTER (WHERE direction = 'out' AND NOT void) AS sales_12m,
    sum(amount) FILTER (WHERE direction = 'out' AND NOT void AND issued_on >= as_of - INTERVAL 6 MONTH) AS sales_6m,
    sum(amount) FILTER (WHERE direction = 'out' AND NOT void AND issued_on < as_of - INTERVAL 6 MONTH) AS sales_before,
    avg(CASE WHEN void THEN 1 ELSE 0 END) FILTER (WHERE direction = 'out') AS void_share_12m,
    count(DISTINCT date_trunc('month', issued_on)) FILTER (WHERE direction = 'out' AND NOT void) AS sales_months_12m,
    min(date_diff('month', issued_on, as_of)) FILTER (WHERE direction = 'out' AND NOT void) AS months_since_sale,
    count(DISTINCT counterparty) FILTER (WHERE direction = 'out' AND NOT void) AS customers_12m,
    count(DISTINCT counterparty) FILTER (WHERE direction = 'in' AND NOT void) AS suppliers_12m
  FROM invoice WHERE issued_on >= as_of - INTERVAL 12 MONTH GROUP BY subject
), loans AS (
  SELECT subject,
    max(overdue_days) FILTER (WHERE reported_on >= as_of - INTERVAL 6 MONTH) AS loan_overdue_6m,
    count(*) AS loan_reports_24m,
    count(*) FILTER (WHERE overdue_days >= 1) AS loan_late_reports_24m,
    count(*) FILTER (WHERE overdue_days >= 1 AND reported_on >= as_of - INTERVAL 6 MONTH) AS loan_late_reports_6m,
    avg(CASE WHEN overdue_days >= 1 THEN 1 ELSE 0 END) AS loan_late_share_24m,
    max(CASE loan_class WHEN '正常' THEN 0 WHEN '关注' THEN 1 WHEN '次级' THEN 2 WHEN '可疑' THEN 3 ELSE 4 END)
      FILTER (WHERE reported_on >= as_of - INTERVAL 12 MONTH) AS loan_class_worst_12m,
    max(balance) FILTER (WHERE reported_on >= as_of - INTERVAL 6 MONTH) AS loan_balance_6m
  FROM loan_performance WHERE reported_on >= as_of - INTERVAL 24 MONTH GROUP BY subject

)
SELECT o.subject,
  date_diff('year', r.registered_on, o.as_of) AS business_age_years,
  coalesce(p.penalties_12m, 0) AS penalties_12m,
  coalesce(p.penalties_older, 0) AS penalties_older,
  coalesce(p.penalties_6m, 0) AS penalties_6m,
  coalesce(p.penalties_36m, 0) AS penalties_36m,
  coalesce(p.penalties_general_24m, 0) AS penalties_general_24m,
  coalesce(p.penalties_closing_36m, 0) AS penalties_closing_36m,
  coalesce(p.penalties_restricting_36m, 0) AS penalties_restricting_36m,
  coalesce(p.penalty_domains_36m, 0) AS penalty_domains_36m,
  p.fine_largest_36m AS fine_largest_36m,
  coalesce(p.penalties_serious, 0) AS penalties_serious,
  coalesce(p.fines_24m, 0) AS fines_24m,
  coalesce(j.judgments_24m, 0) AS judgments_24m,
  coalesce(j.judgments_12m, 0) AS judgments_12m,
  coalesce(j.judgments_amount_24m, 0) AS judgments_amount_24m,
  j.months_since_judgment AS months_since_judgment,
  coalesce(d.dishonest_in_force, 0) AS dishonest_in_force,
  coalesce(d.dishonest_36m, 0) AS dishonest_36m,
  coalesce(l.serious_lists_in_force, 0) AS serious_lists_in_force,
  coalesce(a.abnormal_in_force, 0) AS abnormal_in_force,
  coalesce(a.abnormal_36m, 0) AS abnormal_36m,
  coalesce(a.abnormal_unreachable, 0) AS abnormal_unreachable,
  coalesce(a.abnormal_lifted_36m, 0) AS abnormal_lifted_36m,
  a.months_since_abnormal AS months_since_abnormal,
  t.tax_level AS tax_level,
  t.tax_level_lowest_36m AS tax_level_lowest_36m,
  coalesce(x.tax_arrears_12m, 0) AS tax_arrears_12m,
  coalesce(x.tax_arrears_36m, 0) AS tax_arrears_36m,
  x.months_since_tax_arrears AS months_since_tax_arrears,
  coalesce(s.insurance_arrears_months_12m, 0) AS insurance_arrears_months_12m,
  coalesce(s.insurance_arrears_months_24m, 0) AS insurance_arrears_months_24m,
  coalesce(s.insurance_arrears_months_3m, 0) AS insurance_arrears_months_3m,
  coalesce(u.utility_arrears_months_12m, 0) AS utility_arrears_months_12m,
  coalesce(u.utility_arrears_amount_12m, 0) AS utility_arrears_amount_12m,
  coalesce(u.utility_arrears_months_3m, 0) AS utility_arrears_months_3m,
  coalesce(u.utility_kinds_12m, 0) AS utility_kinds_12m,
  coalesce(k.commitments_kept_36m, 0) AS commitments_kept_36m,
  coalesce(k.commitments_broken_36m, 0) AS commitments_broken_36m,
  coalesce(k.commitments_wholly_broken_36m, 0) AS commitments_wholly_broken_36m,
  k.commitment_broken_share_36m AS commitment_broken_share_36m,
  coalesce(n.licences_24m, 0) AS licences_24m,
  coalesce(n.licences_in_force, 0) AS licences_in_force,
  coalesce(n.licence_kinds, 0) AS licence_kinds,
  coalesce(h.honours_in_force, 0) AS honours_in_force,
  coalesce(h.notable_title, 0) AS notable_title,
  coalesce(h.incentive_lists, 0) AS incentive_lists,
  (coalesce(i.sales_6m, 0) - coalesce(i.sales_before, 0))
    / nullif(coalesce(i.sales_6m, 0) + coalesce(i.sales_before, 0), 0) AS sales_trend_12m,
  i.void_share_12m AS void_share_12m,
  i.sales_12m AS sales_12m,
  i.sales_months_12m AS sales_months_12m,
  i.months_since_sale AS months_since_sale,
  i.customers_12m AS customers_12m,
  i.suppliers_12m AS suppliers_12m,
  b.loan_overdue_6m AS loan_overdue_6m,
  b.loan_late_reports_24m AS loan_late_reports_24m,
  b.loan_reports_24m AS loan_reports_24m,
  b.loan_late_share_24m AS loan_late_share_24m,
  b.loan_late_reports_6m AS loan_late_reports_6m,
  b.loan_class_worst_12m AS loan_class_worst_12m,
  b.loan_balance_6m AS loan_balance_6m
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
