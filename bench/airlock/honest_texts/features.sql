-- Features of the retail project: utilities, contracts and taxes
WITH utilities AS (
  SELECT subject,
    count(DISTINCT date_trunc('month', month_on)) FILTER (WHERE month_on >= as_of - INTERVAL 3 MONTH) AS utility_months_3m,
    count(DISTINCT date_trunc('month', month_on)) AS utility_months_12m,
    sum(amount) AS utility_amount_12m
  FROM utility_arrears WHERE month_on >= as_of - INTERVAL 12 MONTH GROUP BY subject
), contracts AS (
  SELECT subject,
    avg(CASE WHEN contract_status = '违约' THEN 1 ELSE 0 END) AS broken_share_36m,
    sum(amount) FILTER (WHERE contract_status = '已履约') AS performed_amount_36m
  FROM contract_performance WHERE signed_on >= as_of - INTERVAL 36 MONTH GROUP BY subject
), taxes AS (
  SELECT subject, arg_max(CASE level WHEN 'A' THEN 4 WHEN 'B' THEN 3 WHEN 'M' THEN 2 WHEN 'C' THEN 1 ELSE 0 END, "year") AS tax_level
  FROM tax_credit_rating WHERE rated_on >= as_of - INTERVAL 24 MONTH GROUP BY subject
)
SELECT o.subject,
  coalesce(u.utility_months_3m, 0) AS utility_months_3m,
  coalesce(u.utility_months_12m, 0) AS utility_months_12m,
  ln(1 + coalesce(u.utility_amount_12m, 0)) AS log_utility_amount,
  c.broken_share_36m,
  coalesce(c.performed_amount_36m, 0) / 10000 AS performed_10k,
  t.tax_level
FROM observation o
LEFT JOIN utilities u USING (subject)
LEFT JOIN contracts c USING (subject)
LEFT JOIN taxes t USING (subject)
