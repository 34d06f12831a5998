-- What was known of a subject before the month of its safety inspection, and how that inspection was planned: in which
-- street, as a key one or by lot. Its outcome is not seen.
WITH past AS (
  SELECT subject,
    count(*) AS inspections_before,
    count(*) FILTER (WHERE inspected_on >= as_of - INTERVAL 6 MONTH) AS inspections_6m,
    sum(fail) AS fails_before,
    sum(fail) FILTER (WHERE inspected_on >= as_of - INTERVAL 6 MONTH) AS fails_6m,
    avg(fail) AS fail_share,
    min(date_diff('month', inspected_on, as_of)) AS months_since_inspection,
    min(CASE WHEN fail = 1 THEN date_diff('month', inspected_on, as_of) END) AS months_since_fail,
    avg(CASE WHEN task = '重点' THEN 1 ELSE 0 END) AS key_share
  FROM inspections_miyun_safety GROUP BY subject
), recent AS (
  SELECT subject, max(fail) AS failed_last_time
  FROM (
    SELECT subject, fail, rank() OVER (PARTITION BY subject ORDER BY inspected_on DESC) AS place
    FROM inspections_miyun_safety
  ) ranked
  WHERE place = 1 GROUP BY subject
), environment AS (
  SELECT subject, count(*) AS environment_penalties FROM env_penalties GROUP BY subject
), tax AS (
  SELECT subject, count(*) AS tax_penalties FROM tax_penalties GROUP BY subject
), licences AS (
  SELECT subject, count(*) AS licences FROM licences_jxj GROUP BY subject
), complaints AS (
  SELECT subject, count(*) AS complaints_12m
  FROM green_channel_12315 WHERE received_on >= as_of - INTERVAL 12 MONTH GROUP BY subject
)
SELECT o.subject,
  coalesce(p.inspections_before, 0) AS inspections_before,
  coalesce(p.inspections_6m, 0) AS inspections_6m,
  coalesce(p.fails_before, 0) AS fails_before,
  coalesce(p.fails_6m, 0) AS fails_6m,
  p.fail_share AS fail_share,
  r.failed_last_time AS failed_last_time,
  p.months_since_inspection AS months_since_inspection,
  p.months_since_fail AS months_since_fail,
  p.key_share AS key_share,
  coalesce(e.environment_penalties, 0) AS environment_penalties,
  coalesce(t.tax_penalties, 0) AS tax_penalties,
  coalesce(l.licences, 0) AS licences,
  coalesce(c.complaints_12m, 0) AS complaints_12m,
  o.key_planned, o.by_lot, o.enterprise, {streets}
FROM observation o
LEFT JOIN past p USING (subject)
LEFT JOIN recent r USING (subject)
LEFT JOIN environment e USING (subject)
LEFT JOIN tax t USING (subject)
LEFT JOIN licences l USING (subject)
LEFT JOIN complaints c USING (subject)
