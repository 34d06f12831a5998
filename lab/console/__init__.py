"""The console (控制台): pages for reviewers and the platform team, a service of the hub."""
