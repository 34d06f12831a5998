"""From values to HTML (页面生成): templates, texts in two languages, file views, pictures and security headers."""
