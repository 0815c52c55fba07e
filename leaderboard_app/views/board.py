"""See leaderboard_app/board/page.py; Streamlit runs this file when the address names it."""

from leaderboard_app.board.page import show

show()
