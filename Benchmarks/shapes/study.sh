#!/usr/bin/env bash
# What does tuning on chosen images do? Rows of models on prompts that training has not seen, judged by the shapes judge.
#   Benchmarks/shapes/study.sh [--quick] [FOLDER]
# Resumable: a row whose evaluation is there is skipped, and every command goes on from where it was stopped. The figures are
# written by results.py, of whatever rows there are. Sizes come from environment variables, as below; STUDY_ROWS is a regular
# expression of the rows to make (default: all).
set -euo pipefail
cd "$(dirname "$0")/../.."
quick=; [ "${1:-}" != --quick ] || { quick=yes; shift; }
folder=${1:-/tmp/attune-study${quick:+-quick}}
attune=${ATTUNE:-.build/release/attune}
model=${STUDY_MODEL:-datasets/tiny-sd}
if [ "$quick" ]; then
    train=${STUDY_TRAIN:-60} candidates=${STUDY_CANDIDATES:-8} test=${STUDY_TEST:-60} images=${STUDY_IMAGES:-3}
    steps=${STUDY_STEPS:-100} batch=${STUDY_BATCH:-32} near=${STUDY_NEAR:-4} guidance=${STUDY_GUIDANCE:-1.5,3}
    seeds=${STUDY_SEEDS:-42} rounds=${STUDY_ROUNDS:-1}
    large_prompts=${STUDY_LARGE:-200} large_candidates=${STUDY_LARGE_CANDIDATES:-8} all_steps=${STUDY_ALL_STEPS:-300}
    choice_prompts=${STUDY_CHOICE_PROMPTS:-40} choice_candidates=${STUDY_CHOICE_CANDIDATES:-8} choice_draws=${STUDY_CHOICE_DRAWS:-1}
else
    train=${STUDY_TRAIN:-270} candidates=${STUDY_CANDIDATES:-16} test=${STUDY_TEST:-300} images=${STUDY_IMAGES:-6}
    steps=${STUDY_STEPS:-300} batch=${STUDY_BATCH:-64} near=${STUDY_NEAR:-8} guidance=${STUDY_GUIDANCE:-1,1.5,2,3,5}
    seeds=${STUDY_SEEDS:-42 43} rounds=${STUDY_ROUNDS:-3}
    large_prompts=${STUDY_LARGE:-700} large_candidates=${STUDY_LARGE_CANDIDATES:-16} all_steps=${STUDY_ALL_STEPS:-1200}
    choice_prompts=${STUDY_CHOICE_PROMPTS:-150} choice_candidates=${STUDY_CHOICE_CANDIDATES:-16} choice_draws=${STUDY_CHOICE_DRAWS:-2}
fi
denoising=${STUDY_DENOISING:-25} score_steps=${STUDY_SCORE_STEPS:-20} noisy=${STUDY_SCORE_TIMESTEPS:-451-999} top=${STUDY_TOP:-3} lr=${STUDY_LR:-5e-4}
per_prompt=${STUDY_RENDERED:-8}
mkdir -p "$folder"
export ATTUNE_CORPUS=$folder/corpus
[ -e "$ATTUNE_CORPUS/attune.json" ] || "$attune" init

# So many prompts, as many of each category as it has, in turn.
prompts() {
    awk -F'\t' '{ print seen[$2]++ "\t" $0 }' "datasets/shapes/$1.txt" | sort -t$'\t' -s -n -k1,1 | cut -f2- | sed -n "1,$2p"
}
[ -s "$folder/train.txt" ] || prompts train "$train" > "$folder/train.txt"
[ -s "$folder/test.txt" ] || prompts test "$test" > "$folder/test.txt"

# What results.py says of this study: sizes that were given, and not where it lies.
env | grep '^STUDY_' | grep -vE '^STUDY_(RESULTS|ROWS)=' | sort | tr '\n' ' ' > "$folder/sizes.txt" || true

say() { printf '\n%s  %s\n' "$(date +%H:%M:%S)" "$*"; }

# Contrastive MI of the noisy timesteps alone: better for less than the whole schedule (Benchmarks/shapes/README.md). With the
# likelihood it becomes the annotation fit.
measured() { # TAG [DRAWS]: what is there is not measured again; the judge's agreement goes into TAG-agreement.json
    "$attune" score --model "$model" --where "tag = '$1'" --draws "${2:-1}" --steps "$score_steps" --timesteps "$noisy" \
        --negatives rules --count "$near"
    "$attune" annotate --score contrast:error=0.3 --scorer fit --where "tag = '$1'"
    agreement "$1" "tag = '$1'"
}

agreement() { # NAME CONDITION: of scores with the judge, into NAME-agreement.json
    "$attune" evaluate --where "$2" --referee shapes --score mi --score pointwise --score contrast_hard --score contrast --score fit \
        --json > "$folder/$1-agreement.part"
    mv "$folder/$1-agreement.part" "$folder/$1-agreement.json"
}

pool() { # TAG IMAGES-PER-PROMPT: candidates with every score; the judge's verdicts become the annotation shapes
    local scored="$folder/$1.scored"
    [ -e "$scored" ] && return
    say "candidates: $2 for each prompt"
    "$attune" generate --model "$model" --prompts "$folder/train.txt" --images-per-prompt "$2" --steps "$denoising" --guidance 3 \
        --sampler ddim --tag "$1"
    measured "$1"
    touch "$scored"
}

# Choosing at generation: the best candidate of each prompt by each score, of prompts that nothing was trained on.
choice() { # TAG FIRST LAST: the prompts, as lines of the test set
    [ -e "$folder/$1-agreement.json" ] && return
    say "choosing the best of $choice_candidates: $1"
    [ -s "$folder/$1.txt" ] || prompts test "$3" | tail -n "+$2" > "$folder/$1.txt"
    "$attune" generate --model "$model" --prompts "$folder/$1.txt" --images-per-prompt "$choice_candidates" --steps "$denoising" --guidance 3 \
        --sampler ddim --seed 200000 --tag "$1"
    measured "$1" "$choice_draws"
}

evaluated() { [ -e "$ATTUNE_CORPUS/evaluations/$1.json" ]; }

evaluate() { # ROW [ADAPTER-FILE] [MODEL]
    evaluated "$1" && return
    say "evaluate $1"
    local adapter=(); [ -z "${2:-}" ] || adapter=(--adapter "tuned=$2")
    "$attune" evaluate --model "${3:-$model}" "${adapter[@]}" --prompts "$folder/test.txt" --images-per-prompt "$images" \
        --guidance "$guidance" --steps "$denoising" --sampler ddim --seed 100000 --referee shapes \
        --reference "tag = 'reference'" --plots "$folder/plots/$1" --name "$1" > "$folder/$1.txt"
}

images_of() { # TAG PROMPTS IMAGES-PER-PROMPT: rendered images with right captions
    [ -e "$folder/$1.imported" ] && return
    say "rendered images: $1"
    [ -e "$folder/$1-images" ] || "$attune" shapes render --prompts "$2" --per-prompt "$3" --to "$folder/$1-images"
    take_in "$1" "$1" "$model"
}

take_in() { # TAG NAME MODEL: the images of NAME-images, once, as ones that no model made
    [ -e "$folder/$2.imported" ] && return
    "$attune" import "$folder/$2-images" --format imagefolder --model "$3" --tag "$1"
    touch "$folder/$2.imported"
}

take_in_selection() { # TAG SELECTION MODEL: the same of a selection
    [ -e "$folder/$2-images" ] || "$attune" export "$2" --format imagefolder --to "$folder/$2-images"
    take_in "$@"
}

wanted() { [[ $1 =~ ^(${STUDY_ROWS:-.*})$ ]]; }

row() { # ROW SELECTION SEED TRAIN-OPTIONS…
    local name=$1 selection=$2 seed=$3; shift 3
    ! wanted "$name" || evaluated "$name" && return
    say "train $name"
    "$attune" train "$selection" --model "$model" --run "$name" --steps "$steps" --batch "$batch" --accumulate 1 --seed "$seed" \
        --checkpoint-every 50 --keep-checkpoints 1 "$@"
    if [ -e "$ATTUNE_CORPUS/runs/$name/model/model_index.json" ]; then
        evaluate "$name" "" "$ATTUNE_CORPUS/runs/$name/model"
    else
        evaluate "$name" "$ATTUNE_CORPUS/runs/$name/adapter/pytorch_lora_weights.safetensors"
    fi
}

all_weights() { # ROW SELECTION SEED MODEL: every weight of a model trained, with a moving average
    model=$4 steps=$all_steps row "$1" "$2" "$3" --targets all --lr 3e-4 --lr-schedule cosine --warmup 50 --ema 0.995 \
        --drop-captions 0.1
}

# Candidates of more prompts, for rows that train all weights; of other seeds than the pool's, whose images keep its tag.
large() { # TAG MODEL FIRST-SEED [IMAGES-PER-PROMPT STEPS SAMPLER]: judged
    [ -e "$folder/$1.judged" ] && return
    say "candidates $1"
    [ -s "$folder/large.txt" ] || prompts train "$large_prompts" > "$folder/large.txt"
    "$attune" generate --model "$2" --prompts "$folder/large.txt" --images-per-prompt "${4:-$large_candidates}" \
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
    steps=${STUDY_ROUNDS_STEPS:-3000} row "$1" "$1" "$4" --targets all --lr 4e-4 --lr-schedule cosine --warmup 100 --ema 0.999 --drop-captions 0.1
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
    large "large-$1" "$from" "$((10042 + 1000 * $2))" "${STUDY_GATHERED:-32}" 10 dpmpp-2m
    for tag in "${tags[@]}"; do
        choose "$1-$tag" --where "tag = '$tag' AND shapes = 1" --by random --top 24 --per prompt
        take_in_selection "$1" "$1-$tag" "$from"
    done
    choose "$1" --where "tag = '$1'" --all
    trained_on "$1" "$3" "$from"
}

trained_on() { # ROW SEED MODEL: all weights of a later round's model, on the selection of the row's name
    model=$3 steps=${STUDY_GATHERED_STEPS:-3000} row "$1" "$1" "$2" --targets all --lr 3e-4 --lr-schedule cosine --warmup 100 \
        --ema 0.999 --drop-captions 0.1
}

# As many rendered images of each prompt as a condition's: what differs is who drew them.
rendered_for() { # SELECTION CONDITION PER-PROMPT MODEL
    [ ! -e "$folder/$1.selected" ] || return 0
    model=$4 images_of "$1-all" "$folder/large.txt" "$3"
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

choose() { # SELECTION SELECT-OPTIONS…; once, so that runs keep their selection
    local name=$1; shift
    [ -e "$folder/$name.selected" ] && return
    "$attune" select "$name" "$@"
    touch "$folder/$name.selected"
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

images_of reference "$folder/test.txt" "${STUDY_REFERENCE:-10}"
evaluate base
choice choice 1 "$choice_prompts"
# The likelihood's form was found on the first 150 prompts; the others had no part in it.
if [ -z "$quick" ]; then
    choice held "$((choice_prompts + 1))" "$((2 * choice_prompts))"
    agreement both "tag = 'choice' OR tag = 'held'"
fi
pool pool "$candidates"
where="tag = 'pool'"
choose random --where "$where" --by random --top "$top"
choose mi --where "$where" --by mi --top "$top"
choose contrast --where "$where" --by contrast --top "$top"
choose fit --where "$where" --by fit --top "$top"
choose judge --where "$where AND shapes = 1" --by contrast --top "$top"
choose judge-all --where "$where AND shapes = 1" --all
choose all --where "$where" --all
images_of rendered "$folder/train.txt" "$per_prompt"
choose rendered --where "tag = 'rendered'" --all

for seed in $seeds; do
    for by in random mi contrast fit judge rendered; do row "$by-s$seed" "$by" "$seed" --lr "$lr"; done
    row "nft-judge-s$seed" all "$seed" --lr "$lr" --loss nft --reward-by shapes --beta 0.5
    iterated "judge-all-weights-s$seed" "$rounds" "$seed"
    accumulated "judge-rounds-all-weights-s$seed" "judge-all-weights-s$seed" "$rounds" "$seed"
    best_of_all fit "$seed"
    [ "$quick" ] && continue
    # Losses that use every score.
    row "nft-contrast-s$seed" all "$seed" --lr "$lr" --loss nft --reward-by contrast --beta 0.5
    row "nft-fit-s$seed" all "$seed" --lr "$lr" --loss nft --reward-by fit --beta 0.5
    row "nft-mi-s$seed" all "$seed" --lr "$lr" --loss nft --reward-by mi --beta 0.5
    row "weighted-judge-s$seed" all "$seed" --lr "$lr" --loss weighted --weight-by shapes
    row "dpo-judge-s$seed" all "$seed" --lr "$lr" --loss dpo --pairs-by shapes --margin 0.5
    row "dpo-contrast-s$seed" all "$seed" --lr "$lr" --loss dpo --pairs-by contrast
    row "hard-negatives-s$seed" contrast "$seed" --lr "$lr" --loss contrast --negatives rules
    # Kinds of adapter and what they adapt.
    row "judge-lora-s$seed" judge "$seed" --lr "$lr" --adapter-kind lora
    row "judge-attention-s$seed" judge "$seed" --lr "$lr" --targets attention
    row "judge-rank128-s$seed" judge "$seed" --lr "$lr" --rank 128 --alpha 128
    row "judge-lr2e-3-s$seed" judge "$seed" --lr 2e-3
    # What bounds the upper bound: real images, more steps, all weights.
    row "rendered-all-s$seed" rendered "$seed" --lr 1e-4 --targets all
    row "judge-all-s$seed" judge "$seed" --lr 1e-4 --targets all
    for by in random mi contrast; do
        wanted "$by-all-weights-s$seed" || continue
        large large "$model" 10042
        [ $by != contrast ] || measured large
        choose "$by-large" --where "tag = 'large'" --by "$by" --top 2
        all_weights "$by-all-weights-s$seed" "$by-large" "$seed" "$model"
    done
    best_of_all contrast "$seed"
    # What the judge accepts, and of that what the model itself finds likeliest; and the judge's verdicts on right and wrong ones.
    if wanted "judge-fit-all-weights-s$seed"; then
        large large "$model" 10042
        measured large
        choose judge-fit --where "tag = 'large' AND shapes = 1" --by fit --percentile 40 --all
        all_weights "judge-fit-all-weights-s$seed" judge-fit "$seed" "$model"
    fi
    rewarded "nft-judge-all-weights-s$seed" large "$model" 1 "$seed"
    rewarded_rounds "$rounds" "$seed"
    gathered "judge-gathered-all-weights-s$seed" "$rounds" "$seed"
    matched_gathered "rendered-gathered-all-weights-s$seed" "judge-gathered-all-weights-s$seed" "$rounds" "$seed"
    matched "rendered-matched-all-weights-s$seed" "$seed"
    if wanted "rendered-all-long-s$seed"; then
        # As the bundled model was trained, with right captions alone.
        images_of rendered-all datasets/shapes/train.txt "${STUDY_RENDERED_ALL:-40}"
        choose rendered-all --where "tag = 'rendered-all'" --all
        steps=${STUDY_LONG_STEPS:-5000} row "rendered-all-long-s$seed" rendered-all "$seed" --targets all --lr 4e-4 \
            --lr-schedule cosine --warmup 100 --ema 0.999 --drop-captions 0.1
    fi
    saved=$steps steps=$((4 * steps))
    row "rendered-long-s$seed" rendered "$seed" --lr 1e-3 --lr-schedule cosine --warmup 50
    row "judge-long-s$seed" judge-all "$seed" --lr 1e-3 --lr-schedule cosine --warmup 50
    row "nft-judge-long-s$seed" all "$seed" --lr 1e-3 --lr-schedule cosine --warmup 50 --loss nft --reward-by shapes --beta 0.5
    row "nft-contrast-long-s$seed" all "$seed" --lr 1e-3 --lr-schedule cosine --warmup 50 --loss nft --reward-by contrast --beta 0.5
    steps=$saved
    # k, the images kept of each prompt, and M, the candidates that they are kept of.
    for k in 1 6; do
        choose "mi-k$k" --where "$where" --by mi --top "$k"
        choose "contrast-k$k" --where "$where" --by contrast --top "$k"
        row "mi-k$k-s$seed" "mi-k$k" "$seed" --lr "$lr"
        row "contrast-k$k-s$seed" "contrast-k$k" "$seed" --lr "$lr"
    done
    for m in 4 8; do
        # Candidate i has the seed 42 + i.
        few="$where AND CAST(seed AS INTEGER) < $((42 + m))"
        choose "mi-m$m" --where "$few" --by mi --top 1
        choose "contrast-m$m" --where "$few" --by contrast --top 1
        row "mi-m$m-s$seed" "mi-m$m" "$seed" --lr "$lr"
        row "contrast-m$m-s$seed" "contrast-m$m" "$seed" --lr "$lr"
    done
    aligned_rounds "rounds-s$seed" "$rounds" "$seed" \
        "{\"form\": \"contrast\", \"count\": $near, \"steps\": $score_steps, \"timesteps\": \"$noisy\"}"
    aligned_rounds "rounds-judge-s$seed" "$rounds" "$seed" '{"referee": "shapes"}'
done

python3 Benchmarks/shapes/results.py "$folder" --attune "$attune" --to "${STUDY_RESULTS:-datasets/shapes/RESULTS.md}"
