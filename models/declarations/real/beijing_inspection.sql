-- What was known of an inspected subject before the month of its inspection. The inspection itself is not seen.
WITH inspections AS (
  SELECT subject,
    count(*) AS inspections_before,
    count(*) FILTER (WHERE inspected_on >= as_of - INTERVAL 12 MONTH) AS inspections_12m,
    sum(fail) AS fails_before,
    sum(fail) FILTER (WHERE inspected_on >= as_of - INTERVAL 12 MONTH) AS fails_12m,
    avg(fail) AS fail_share,
    min(date_diff('month', inspected_on, as_of)) AS months_since_inspection,
    min(CASE WHEN fail = 1 THEN date_diff('month', inspected_on, as_of) END) AS months_since_fail,
    max(date_diff('month', inspected_on, as_of)) AS months_known,
    avg(CASE WHEN domain = 'culture' THEN 1 ELSE 0 END) AS culture_share,
    avg(CASE WHEN form = '专项检查' THEN 1 ELSE 0 END) AS campaign_share,
    count(DISTINCT form) AS forms
  FROM inspections_culture_press GROUP BY subject
), recent AS (
  SELECT subject, max(fail) AS failed_last_time
  FROM (
    SELECT subject, fail, rank() OVER (PARTITION BY subject ORDER BY inspected_on DESC) AS place
    FROM inspections_culture_press
  ) ranked
  WHERE place = 1 GROUP BY subject
), safety AS (
  SELECT subject, count(*) AS safety_inspections, sum(fail) AS safety_fails
  FROM inspections_miyun_safety GROUP BY subject
), environment AS (
  SELECT subject, count(*) AS environment_penalties FROM env_penalties GROUP BY subject
), tax AS (
  SELECT subject, count(*) AS tax_penalties FROM tax_penalties GROUP BY subject
), licences AS (
  SELECT subject, count(*) AS licences FROM licences_jxj GROUP BY subject
), complaints AS (
  SELECT subject, count(*) AS complaints_12m
  FROM green_channel_12315 WHERE received_on >= as_of - INTERVAL 12 MONTH GROUP BY subject
), technology AS (
  SELECT subject, count(*) AS technology_years FROM tech_sme GROUP BY subject
)
SELECT o.subject,
  coalesce(i.inspections_before, 0) AS inspections_before,
  coalesce(i.inspections_12m, 0) AS inspections_12m,
  coalesce(i.fails_before, 0) AS fails_before,
  coalesce(i.fails_12m, 0) AS fails_12m,
  i.fail_share AS fail_share,
  r.failed_last_time AS failed_last_time,
  i.months_since_inspection AS months_since_inspection,
  i.months_since_fail AS months_since_fail,
  i.months_known AS months_known,
  i.culture_share AS culture_share,
  i.campaign_share AS campaign_share,
  coalesce(i.forms, 0) AS forms,
  coalesce(s.safety_inspections, 0) AS safety_inspections,
  coalesce(s.safety_fails, 0) AS safety_fails,
  coalesce(e.environment_penalties, 0) AS environment_penalties,
  coalesce(t.tax_penalties, 0) AS tax_penalties,
  coalesce(l.licences, 0) AS licences,
  coalesce(c.complaints_12m, 0) AS complaints_12m,
  coalesce(h.technology_years, 0) AS technology_years
FROM observation o
LEFT JOIN inspections i USING (subject)
LEFT JOIN recent r USING (subject)
LEFT JOIN safety s USING (subject)
LEFT JOIN environment e USING (subject)
LEFT JOIN tax t USING (subject)
LEFT JOIN licences l USING (subject)
LEFT JOIN complaints c USING (subject)
LEFT JOIN technology h USING (subject)
