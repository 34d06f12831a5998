"""What the workspace's server says to an open page beside Jupyter (页面提示), and whether a page still waits."""
