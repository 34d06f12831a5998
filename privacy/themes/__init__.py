"""Theme libraries (专项主题库): what custody has of a group of subjects for one field of supervision or service."""
