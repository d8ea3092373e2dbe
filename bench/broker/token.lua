-- POST /v1/token, for the users in turn. With BENCH_REST_MS, a connection rests so long on average before each request.
local requests = {}
local last = 0
local rest = tonumber(os.getenv("BENCH_REST_MS"))

function init()
  wrk.method = "POST"
  wrk.body = '{"provider":"bench"}'
  wrk.headers["Authorization"] = "Bearer " .. os.getenv("BENCH_KEY")
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["X-Tokentoss-Tenant"] = "bench"
  for user = 0, tonumber(os.getenv("BENCH_USERS")) - 1 do
    wrk.headers["X-Tokentoss-User"] = "user-" .. user
    requests[#requests + 1] = wrk.format()
  end
end

function request()
  last = last % #requests + 1
  return requests[last]
end

if rest then
  -- Spread, so that the connections do not come all at the same time.
  function delay()
    return math.random(0, 2 * rest)
  end
end
