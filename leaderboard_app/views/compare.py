"""See leaderboard_app/compare/page.py; Streamlit runs this file when the address names it."""

from leaderboard_app.compare.page import show

show()
