# Rows of all weights, and of several rounds. Sourced by study.sh after rows.sh.

# Candidates of more prompts, for rows that train all weights; of other seeds than the pool's, whose images keep its tag.
large() { # TAG MODEL FIRST-SEED [IMAGES-PER-PROMPT STEPS SAMPLER PROMPTS]: judged
    [ -e "$folder/$1.judged" ] && return
    say "candidates $1"
    [ -s "$folder/large.txt" ] || prompts train "$large_prompts" > "$folder/large.txt"
    "$attune" generate --model "$2" --prompts "${7:-$folder/large.txt}" --images-per-prompt "${4:-$large_candidates}" \
        --steps "${5:-$denoising}" --guidance 3 --sampler "${6:-ddim}" --seed "$3" --tag "$1"
    "$attune" evaluate --where "tag = '$1'" --referee shapes --score mi --json > "$folder/$1-judged.json"
    touch "$folder/$1.judged"
}

# Rejection sampling: what the judge accepts of each round's images trains its model on.
iterated() { # ROW ROUNDS SEED
    local name=$1 from=$model tag=large round
    for round in $(seq "$2"); do
        wanted "$name-r$round" || return 0
        [ "$round" = 1 ] || tag=large-$name-r$round
        large "$tag" "$from" "$((10042 + 1000 * (round - 1)))"
        choose "$name-r$round" --where "tag = '$tag' AND shapes = 1" --by random --top 8
        all_weights "$name-r$round" "$name-r$round" "$3" "$from"
        from=$ATTUNE_CORPUS/runs/$name-r$round/model
    done
}

# What the judge accepted of all rounds' candidates trains the bundled model: more different images, and more steps. Those of later
# rounds are of other models, so all are taken as images that no model made.
accumulated() { # ROW ROUNDS-ROW ROUNDS SEED
    wanted "$1" && [ "$3" -gt 1 ] || return 0
    local round tag=large
    for round in $(seq "$3"); do
        [ "$round" = 1 ] || tag=large-$2-r$round
        choose "$1-r$round" --where "tag = '$tag' AND shapes = 1" --all
        take_in_selection "$1" "$1-r$round" "$model"
    done
    choose "$1" --where "tag = '$1'" --all
    steps=$rounds_steps row "$1" "$1" "$4" --targets all --lr 4e-4 --lr-schedule cosine --warmup 100 --ema 0.999 --drop-captions 0.1
}

# The judge's verdicts on all candidates, right and wrong, as rewards.
rewarded() { # ROW TAG MODEL ROUND SEED
    wanted "$1" || return 0
    large "$2" "$3" "$((10042 + 1000 * ($4 - 1)))"
    choose "all-$2" --where "tag = '$2'" --all
    model=$3 steps=$all_steps row "$1" "all-$2" "$5" --targets all --lr 3e-4 --lr-schedule cosine --warmup 50 --ema 0.995 \
        --loss nft --reward-by shapes --beta 0.5
}

# The same round by round after a first one of rejection sampling, each on the candidates of the model that it begins with.
rewarded_rounds() { # ROUNDS SEED
    local first=judge-all-weights-s$2 round
    local from=$ATTUNE_CORPUS/runs/$first-r1/model tag=large-$first-r2
    for round in $(seq 2 "$1"); do
        [ -e "$from/model_index.json" ] || return 0
        rewarded "nft-$first-r$round" "$tag" "$from" "$round" "$2"
        from=$ATTUNE_CORPUS/runs/nft-$first-r$round/model tag=large-nft-$first-r$((round + 1))
    done
}

# All that the judge accepted in every round, and of many more candidates of the last round's model, trains that model on. The new ones
# take 10 steps of DPM-Solver++: as many are right, for less than half the passes through the UNet.
gathered() { # ROW ROUNDS SEED
    local first=judge-all-weights-s$3 tags=(large) tag round
    local from=$ATTUNE_CORPUS/runs/nft-$first-r$2/model
    wanted "$1" && [ -e "$from/model_index.json" ] || return 0
    for round in $(seq 2 "$2"); do
        tag=large-nft-$first-r$round; [ "$round" != 2 ] || tag=large-$first-r2
        tags+=("$tag")
    done
    tags+=("large-$1")
    large "large-$1" "$from" "$((10042 + 1000 * $2))" "$gathered_candidates" 10 dpmpp-2m
    for tag in "${tags[@]}"; do
        choose "$1-$tag" --where "tag = '$tag' AND shapes = 1" --by random --top 24 --per prompt
        take_in_selection "$1" "$1-$tag" "$from"
    done
    choose "$1" --where "tag = '$1'" --all
    trained_on "$1" "$3" "$from"
}

# Further rounds of rewards, on more candidates and for more steps: the first on the new ones of the gathered row, the others each on
# those of the model that they begin with.
rewarded_gathered() { # GATHERED-ROW ROUNDS SEED
    evaluated "$1" || return 0
    local name=nft-judge-all-weights-s$3 tag=large-$1 round from
    for round in $(seq "$(($2 + 1))" "$(($2 + further_rounds))"); do
        from=$ATTUNE_CORPUS/runs/$name-r$((round - 1))/model
        if wanted "$name-r$round" && [ -e "$from/model_index.json" ]; then
            large "$tag" "$from" "$((10042 + 1000 * round))" "$gathered_candidates" 10 dpmpp-2m
            all_steps=$((2 * all_steps)) rewarded "$name-r$round" "$tag" "$from" "$round" "$3"
        fi
        tag=large-$name-r$((round + 1))
    done
}

# As many of every prompt, as nearly as the judge allows: prompts with few accepted images get more candidates, and the others give
# no more than they.
balanced() { # ROW GATHERED-ROW ROUNDS SEED
    local from=$ATTUNE_CORPUS/runs/nft-judge-all-weights-s$4-r$3/model
    wanted "$1" && evaluated "$2" && ! evaluated "$1" || return 0
    [ -s "$folder/$1-accepted.json" ] || "$attune" query "tag = '$2'" --columns prompt --json > "$folder/$1-accepted.json"
    python3 - "$folder/$1-accepted.json" "$folder/large.txt" "$per_prompt_balanced" > "$folder/$1-prompts.txt" <<'PYTHON'
import collections, json, sys
accepted = collections.Counter(row["prompt"] for row in json.load(open(sys.argv[1])))
for line in open(sys.argv[2]):
    if accepted[line.rstrip("\n").split("\t")[0]] < int(sys.argv[3]):
        print(line, end="")
PYTHON
    large "large-$1" "$from" "$((10042 + 1000 * ($3 + 1)))" "$balanced_candidates" 10 dpmpp-2m "$folder/$1-prompts.txt"
    choose "$1-large" --where "tag = 'large-$1' AND shapes = 1" --by random --top "$per_prompt_balanced" --per prompt
    take_in_selection "$1" "$1-large" "$from"
    choose "$1" --where "tag = '$2' OR tag = '$1'" --by random --top "$per_prompt_balanced" --per prompt
    trained_on "$1" "$4" "$from"
}

trained_on() { # ROW SEED MODEL: all weights of a later round's model, on the selection of the row's name
    model=$3 steps=$gathered_steps row "$1" "$1" "$2" --targets all --lr 3e-4 --lr-schedule cosine --warmup 100 \
        --ema 0.999 --drop-captions 0.1
}

# As many rendered images of each prompt as a condition's: what differs is who drew them.
rendered_for() { # SELECTION CONDITION PER-PROMPT MODEL
    [ ! -e "$folder/$1.selected" ] || return 0
    model=$4 images_of "$1-all" "$folder/large.txt" "$3" "$(cksum <<< "$1" | cut -d ' ' -f 1)"
    "$attune" query "$2" --columns prompt --json > "$folder/$1-wanted.json"
    "$attune" query "tag = '$1-all'" --columns id,prompt --json > "$folder/$1-rendered.json"
    python3 - "$folder/$1-wanted.json" "$folder/$1-rendered.json" > "$folder/$1.ids" <<'PYTHON'
import collections, json, sys
accepted, rendered = (json.load(open(file)) for file in sys.argv[1:])
wanted = collections.Counter(row["prompt"] for row in accepted)
for row in rendered:
    if wanted[row["prompt"]] > 0:
        wanted[row["prompt"]] -= 1
        print(row["id"])
PYTHON
    choose "$1" --from "$folder/$1.ids"
}

# In place of what the judge accepted of the first round, at most 8 of a prompt.
matched() { # ROW SEED
    wanted "$1" || return 0
    large large "$model" 10042
    rendered_for rendered-matched "tag = 'large' AND shapes = 1" 8 "$model"
    all_weights "$1" rendered-matched "$2" "$model"
}

# In place of what was gathered.
matched_gathered() { # ROW GATHERED-ROW ROUNDS SEED
    local from=$ATTUNE_CORPUS/runs/nft-judge-all-weights-s$4-r$3/model
    wanted "$1" && evaluated "$2" || return 0
    # As many as may have been accepted of a prompt: 24 in each round, and of the new ones.
    rendered_for "$1" "tag = '$2'" "$((24 * ($3 + 1)))" "$from"
    trained_on "$1" "$4" "$from"
}

# The best of all candidates, instead of some of each prompt: prompts without a right candidate give none.
best_of_all() { # SCORE SEED
    wanted "$1-best-all-weights-s$2" || return 0
    large large "$model" 10042
    measured large
    choose "$1-best" --where "tag = 'large'" --by "$1" --percentile 90 --all
    all_weights "$1-best-all-weights-s$2" "$1-best" "$2" "$model"
}

aligned_rounds() { # ROW ROUNDS SEED SCORE: candidates from the adapter of the round before, rewarded by SCORE, a part of align's file
    ! wanted "$1" || evaluated "$1-r$2" && return
    say "align $1: $2 rounds"
    cat > "$folder/$1.json" <<JSON
{"name": "$1", "rounds": $2, "model": "$(realpath "$model")", "prompts": "train.txt",
 "candidates": {"images_per_prompt": $candidates, "steps": $denoising, "guidance": 3},
 "score": $4, "select": {"top": "all"},
 "train": {"loss": "nft", "beta": 0.5, "steps": $steps, "batch": $batch, "lr": $lr, "checkpoint_every": 50, "keep_checkpoints": 1, "seed": $3},
 "evaluate": {"prompts": "test.txt", "images_per_prompt": $images, "guidance": [$guidance], "steps": $denoising, "seed": 100000, "referee": "shapes"}}
JSON
    "$attune" align "$folder/$1.json"
}
