"""See leaderboard_app/compare_page.py; Streamlit runs this file when the address names it."""

from leaderboard_app.compare_page import show

show()
