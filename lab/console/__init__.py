"""The console (控制台): web pages for researchers, reviewers and the platform team; a service of the hub."""
