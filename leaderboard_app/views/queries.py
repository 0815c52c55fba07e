"""See leaderboard_app/queries/page.py; Streamlit runs this file when the address names it."""

from leaderboard_app.queries.page import show

show()
