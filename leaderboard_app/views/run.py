"""See leaderboard_app/run/page.py; Streamlit runs this file when the address names it."""

from leaderboard_app.run.page import show

show()
