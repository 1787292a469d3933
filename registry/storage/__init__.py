"""Where the log is kept. `log` reads (standard library only), `sqlite` writes, `mapper` maps."""
