"""See leaderboard_app/progress/page.py; Streamlit runs this file when the address names it."""

from leaderboard_app.progress.page import show

show()
