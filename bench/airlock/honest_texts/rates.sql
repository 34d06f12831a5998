-- 各行业企业数与违约率（汇总表）
SELECT industry, count(*) AS firms, round(avg(defaulted), 3) AS default_rate
FROM registration JOIN loan_performance USING (subject)
WHERE registered_on < DATE '2024-01-01' AND status = '存续'
GROUP BY industry
ORDER BY firms DESC
