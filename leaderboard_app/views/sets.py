"""See leaderboard_app/sets/page.py; Streamlit runs this file when the address names it."""

from leaderboard_app.sets.page import show

show()
