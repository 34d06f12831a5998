-- A firm's VAT invoices before the day its outcome was told, in yuan.
WITH valid AS (
  SELECT subject,
    sum(CASE WHEN direction = 'out' THEN amount END) AS sales,
    sum(CASE WHEN direction = 'in' THEN amount END) AS purchases,
    avg(CASE WHEN direction = 'out' THEN amount END) AS mean_sale,
    sum(CASE WHEN direction = 'out' AND issued_on >= as_of - INTERVAL 12 MONTH THEN amount END) AS sales_12m,
    sum(CASE WHEN direction = 'out' AND issued_on >= as_of - INTERVAL 24 MONTH
      AND issued_on < as_of - INTERVAL 12 MONTH THEN amount END) AS sales_year_before,
    sum(CASE WHEN direction = 'out' THEN tax END) / nullif(sum(CASE WHEN direction = 'out' THEN amount END), 0) AS tax_rate,
    avg(CASE WHEN direction = 'out' THEN CASE WHEN amount < 0 THEN 1 ELSE 0 END END) AS returns_share,
    count(DISTINCT CASE WHEN direction = 'out' THEN counterparty END) AS customers,
    count(DISTINCT CASE WHEN direction = 'in' THEN counterparty END) AS suppliers,
    count(DISTINCT CASE WHEN direction = 'out' THEN date_trunc('month', issued_on) END) AS months_selling,
    min(CASE WHEN direction = 'out' THEN date_diff('month', issued_on, as_of) END) AS months_since_sale,
    min(CASE WHEN direction = 'in' THEN date_diff('month', issued_on, as_of) END) AS months_since_purchase
  FROM invoice WHERE NOT void GROUP BY subject
), voided AS (
  SELECT subject,
    avg(CASE WHEN direction = 'out' THEN CASE WHEN void THEN 1 ELSE 0 END END) AS void_sales_share,
    avg(CASE WHEN direction = 'in' THEN CASE WHEN void THEN 1 ELSE 0 END END) AS void_purchases_share
  FROM invoice GROUP BY subject
), months AS (
  SELECT subject, date_trunc('month', issued_on) AS month_on, sum(amount) AS sales
  FROM invoice WHERE direction = 'out' AND NOT void GROUP BY subject, date_trunc('month', issued_on)
), steadiness AS (
  SELECT subject, stddev(sales) / nullif(avg(sales), 0) AS sales_variation FROM months GROUP BY subject
), partners AS (
  SELECT subject, counterparty, sum(amount) AS sales
  FROM invoice WHERE direction = 'out' AND NOT void GROUP BY subject, counterparty
), concentration AS (
  SELECT subject, max(sales) / nullif(sum(sales), 0) AS largest_customer_share FROM partners GROUP BY subject
)
SELECT o.subject,
  ln(greatest(coalesce(v.sales, 0), 1)) AS sales_log,
  ln(greatest(coalesce(v.purchases, 0), 1)) AS purchases_log,
  (coalesce(v.sales, 0) - coalesce(v.purchases, 0))
    / nullif(coalesce(abs(v.sales), 0) + coalesce(abs(v.purchases), 0), 0) AS margin,
  ln(greatest(coalesce(v.mean_sale, 0), 1)) AS mean_sale_log,
  (coalesce(v.sales_12m, 0) - coalesce(v.sales_year_before, 0))
    / nullif(abs(coalesce(v.sales_12m, 0)) + abs(coalesce(v.sales_year_before, 0)), 0) AS sales_growth,
  v.tax_rate AS tax_rate,
  v.returns_share AS returns_share,
  coalesce(v.customers, 0) AS customers,
  coalesce(v.suppliers, 0) AS suppliers,
  coalesce(v.months_selling, 0) AS months_selling,
  v.months_since_sale AS months_since_sale,
  v.months_since_purchase AS months_since_purchase,
  w.void_sales_share AS void_sales_share,
  w.void_purchases_share AS void_purchases_share,
  s.sales_variation AS sales_variation,
  c.largest_customer_share AS largest_customer_share
FROM observation o
LEFT JOIN valid v USING (subject)
LEFT JOIN voided w USING (subject)
LEFT JOIN steadiness s USING (subject)
LEFT JOIN concentration c USING (subject)
