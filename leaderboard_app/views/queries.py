"""See leaderboard_app/queries_page.py; Streamlit runs this file when the address names it."""

from leaderboard_app.queries_page import show

show()
