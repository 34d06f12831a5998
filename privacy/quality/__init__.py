"""The quality of 双公示 data (licences and penalties): what came in, was stored and was late, and samples to check."""
