"""The making of a release, so that a process that is killed loses little: a pass, buckets, and a journal of both."""
