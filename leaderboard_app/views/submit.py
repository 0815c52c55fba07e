"""See leaderboard_app/submit_page.py; Streamlit runs this file when the address names it."""

from leaderboard_app.submit_page import show

show()
