"""See leaderboard_app/run_page.py; Streamlit runs this file when the address names it."""

from leaderboard_app.run_page import show

show()
