"""See leaderboard_app/claimed_page.py; Streamlit runs this file when the address names it."""

from leaderboard_app.claimed_page import show

show()
