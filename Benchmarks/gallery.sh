#!/usr/bin/env bash
# The gallery under load: a made corpus of 100,000 samples, wrk (Debian) as the browsers.
#   Benchmarks/gallery.sh                  first pages, tiles per second, memory; targets: 150 ms, 500/s, 300 MB
#   GALLERY_PROMPTS=10000000 …             also searching so many prompts (about 7 GB of disk for ten million); target: 0.3 s
#   GALLERY_SAMPLES, GALLERY_SECONDS       size of the corpus (100000), length of each load (10)
set -euo pipefail
cd "$(dirname "$0")/.."
samples=${GALLERY_SAMPLES:-100000} seconds=${GALLERY_SECONDS:-10}
attune=${ATTUNE:-.build/release/attune} bench=${ATTUNE_BENCH:-.build/release/attune-bench}
command -v wrk >/dev/null || { echo "gallery.sh: wrk is missing: apt-get install wrk" >&2; exit 1; }
work=$(mktemp -d)
server=
stop() { if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; server=; fi; }
trap 'stop; rm -rf "$work"' EXIT
export XDG_CACHE_HOME=$work/cache

serve() { # corpus
    stop
    : >"$work/said"
    "$attune" serve --corpus "$1" --port 0 >"$work/said" &
    server=$!
    until grep -q http "$work/said"; do
        kill -0 "$server" 2>/dev/null || { echo "gallery.sh: attune serve has ended: see above" >&2; exit 1; }
        sleep 0.05
    done
    address=$(grep -o 'http://[^ ]*' "$work/said" | head -1)
}
milliseconds() { curl -sS -o /dev/null -w '%{http_code} %{time_total}\n' "$1" | awk '{ if ($1 != 200) exit 1; printf "%.0f ms", 1000 * $2 }'; }
memory() { awk '/VmHWM/ { printf "%.0f MiB", $2 / 1024 }' "/proc/$server/status"; }
load() { # what, Lua file
    wrk -t 2 -c 32 -d "${seconds}s" --latency -s "$2" "$address" >"$work/wrk"
    awk -v what="$1" '/Requests\/sec/ { rate = $2 } /99%/ { late = $2 } /Non-2xx/ { bad = $0 } END { printf "%-44s %s/s, 99 %% within %s%s\n", what, rate, late, bad }' "$work/wrk"
}
ids() { # corpus, count
    "$attune" query --corpus "$1" --top "$2" --json | sed -n 's/.*"id" : "\([0-9a-f]*\)".*/\1/p' | head -"$2"
}
tiles() { # ids, side
    { echo "local ids = {"; sed 's/.*/"&",/' "$1"; echo "}"; cat <<LUA
local n = 0
request = function()
  n = n + 1
  if n == 1 then math.randomseed(os.time()) end
  return wrk.format("GET", "tiles/" .. ids[math.random(#ids)] .. "?side=$2")
end
LUA
    } | sed 's|"tiles/|"/tiles/|'
}

echo "# $samples samples of 64x64 in packed shards, on $(nproc) cores"
"$bench" corpus make-samples "$work/corpus" --samples "$samples" >/dev/null
ids "$work/corpus" 20000 >"$work/ids"
serve "$work/corpus"
for path in samples 'samples?view=all&by=mi_reference' 'samples?view=all&where=seed%3E60&by=mi' '' "samples/$(head -1 "$work/ids")"; do
    printf '%-44s %s the first time, %s the second\n' "/$path" "$(milliseconds "$address$path")" "$(milliseconds "$address$path")"
done
tiles "$work/ids" 192 >"$work/tiles.lua"
load "tiles of 64x64, at random" "$work/tiles.lua"
echo 'local n = 0; request = function() n = n + 1; return wrk.format("GET", "/api/samples?view=all&from=" .. (n * 7919 % '"$samples"') .. "&count=120") end' >"$work/rows.lua"
load "rows of the grid, 120 samples each" "$work/rows.lua"
# The map is made in the background: until it is there, the page says how far it is.
mapped() {
    begin=$(date +%s.%N)
    until curl -sS -o "$work/map" "${address}map?color=mi" && grep -q 'id="map"' "$work/map"; do sleep 0.1; done
    echo "$(date +%s.%N) $begin" | awk '{ printf "%.2f s", $1 - $2 }'
}
printf '%-44s %s' "map of the latents" "$(mapped)"
printf ' the first time, its points %s\n' "$(milliseconds "${address}api/map?map=latents&color=mi")"
echo "memory at its highest                        $(memory)"
if [ -x .venv/bin/python ] && command -v chromium >/dev/null; then .venv/bin/python Benchmarks/gallery_scroll.py "$address"; fi
stop

echo "# 1000 samples of 512x512"
"$bench" corpus make-samples "$work/large" --samples 1000 --side 512 --pack 500 >/dev/null
ids "$work/large" 1000 >"$work/large-ids"
serve "$work/large"
begin=$(date +%s.%N)
sed "s|.*|url = \"${address}tiles/&?side=192\"\noutput = /dev/null|" "$work/large-ids" | curl -s --no-progress-meter --parallel --parallel-max 8 -K - >/dev/null 2>&1
echo "$(date +%s.%N) $begin" | awk '{ printf "%-44s %.0f/s\n", "thumbnails made", 1000 / ($1 - $2) }'
tiles "$work/large-ids" 192 >"$work/thumbnails.lua"
load "thumbnails that are kept" "$work/thumbnails.lua"
echo "memory at its highest                        $(memory)"
stop

if [ -n "${GALLERY_PROMPTS:-}" ]; then
    echo "# $GALLERY_PROMPTS prompts"
    "$bench" corpus make-rows "$work/rows" --rows "$GALLERY_PROMPTS" --prompts "$GALLERY_PROMPTS" >/dev/null
    serve "$work/rows"
    begin=$(date +%s.%N)
    until curl -sS -o /dev/null -w '%{http_code}' "${address}samples?search=lighthouse" | grep -q 200; do sleep 1; done
    echo "$(date +%s.%N) $begin" | awk '{ printf "%-44s %.0f s\n", "index of the prompts, once", $1 - $2 }'
    for words in 'number+1234567' 'violet+lighthouses+77' 'golden+cat' '123456'; do
        printf '%-44s %s, again %s\n' "search $words" "$(milliseconds "${address}samples?search=$words&by=id")" "$(milliseconds "${address}samples?search=$words&by=id")"
    done
    echo "memory at its highest                        $(memory)"
    du -sh "$work/cache" | awk '{ print "index on the disk                            " $1 }'
fi
