"""What knows nothing of re-identification: errors, files, hashes, progress, threads, processes."""
