"""See leaderboard_app/claimed/page.py; Streamlit runs this file when the address names it."""

from leaderboard_app.claimed.page import show

show()
