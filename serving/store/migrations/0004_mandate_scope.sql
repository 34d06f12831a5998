-- A bank that had every scope may also request mandates.
UPDATE client SET scopes = 'batch facts job live mandate object query report score verify watch'
WHERE scopes = 'batch facts job live object query report score verify watch';
