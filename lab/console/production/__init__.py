"""What is in production (上线管理): the champions, what waits for them, and what served when."""
