"""The leaderboard as files that any web server serves, and that open from a disk."""
