-- GET of a user at a hub, with an administrator's token.
wrk.headers["Authorization"] = "token " .. os.getenv("BENCH_KEY")
