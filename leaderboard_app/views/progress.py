"""See leaderboard_app/progress_page.py; Streamlit runs this file when the address names it."""

from leaderboard_app.progress_page import show

show()
