"""See leaderboard_app/sets_page.py; Streamlit runs this file when the address names it."""

from leaderboard_app.sets_page import show

show()
