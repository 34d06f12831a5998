"""The service zone (服务区): answers banks about subjects, from sealed snapshots and under mandates alone."""
