"""See leaderboard_app/board_page.py; Streamlit runs this file when the address names it."""

from leaderboard_app.board_page import show

show()
