"""What data sets hold and what protocols mean."""
