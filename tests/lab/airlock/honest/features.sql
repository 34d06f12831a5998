-- Features of the last 6, 12 and 24 months for firms in trade.
CREATE OR REPLACE VIEW trade AS
SELECT subject, industry, as_of FROM registration WHERE industry IN ('批发业', '零售业');

WITH p AS (
  SELECT subject,
         COUNT(*) FILTER (WHERE decided_on >= as_of - INTERVAL '6' MONTH) AS n_penalties_6m,
         COUNT(*) FILTER (WHERE decided_on >= as_of - INTERVAL '12' MONTH) AS n_penalties_12m,
         SUM(COALESCE(fine, 0)) AS fine_sum_24m
    FROM administrative_penalty
   WHERE decided_on >= as_of - INTERVAL '24' MONTH
   GROUP BY subject
)
SELECT t.subject,
       COALESCE(p.n_penalties_6m, 0) AS n_penalties_6m,
       COALESCE(p.n_penalties_12m, 0) AS n_penalties_12m,
       LN(1 + COALESCE(p.fine_sum_24m, 0)) AS log_fine_24m,
       CASE WHEN t.industry = '批发业' THEN 1 ELSE 0 END AS is_wholesale
  FROM trade t LEFT JOIN p USING (subject)
 ORDER BY t.subject;
