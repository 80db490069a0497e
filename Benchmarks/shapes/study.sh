#!/usr/bin/env bash
# What does tuning on chosen images do? Rows of models on prompts that training has not seen, judged by the shapes judge.
#   Benchmarks/shapes/study.sh [--quick | --smallest] [FOLDER]
# Resumable: a row whose evaluation is there is skipped, and every command goes on from where it was stopped. The figures are
# written by results.py, of whatever rows there are: into datasets/shapes/RESULTS.md, or into FOLDER where the sizes are not the whole
# study's. Sizes come from environment variables, as below; STUDY_ROWS is a regular expression of the rows to make (default: all).
# --smallest makes every row with hardly any training: it shows that the commands go together, and its figures mean nothing.
set -euo pipefail
cd "$(dirname "$0")/../.."
size=
case "${1:-}" in --quick | --smallest) size=${1#--}; shift ;; esac
folder=${1:-/tmp/attune-study${size:+-$size}}
results=datasets/shapes/RESULTS.md; [ ! "$size" ] || results=$folder/RESULTS.md
attune=${ATTUNE:-.build/release/attune}
model=${STUDY_MODEL:-datasets/tiny-sd}
# Steps and images of rows of many rounds, or of many images.
rounds_steps=3000 gathered_steps=3000 long_steps=5000 gathered_candidates=32 balanced_candidates=64 rendered_all=40
if [ "$size" = smallest ]; then
    train=${STUDY_TRAIN:-25} candidates=${STUDY_CANDIDATES:-5} test=${STUDY_TEST:-10} images=${STUDY_IMAGES:-2}
    steps=${STUDY_STEPS:-2} batch=${STUDY_BATCH:-4} near=${STUDY_NEAR:-2} guidance=${STUDY_GUIDANCE:-1.5,3}
    seeds=${STUDY_SEEDS:-42 43} rounds=${STUDY_ROUNDS:-3}
    large_prompts=${STUDY_LARGE:-25} large_candidates=${STUDY_LARGE_CANDIDATES:-6} all_steps=${STUDY_ALL_STEPS:-2}
    choice_prompts=${STUDY_CHOICE_PROMPTS:-20} choice_candidates=${STUDY_CHOICE_CANDIDATES:-5} choice_draws=${STUDY_CHOICE_DRAWS:-1}
    rounds_steps=2 gathered_steps=2 long_steps=2 gathered_candidates=8 balanced_candidates=8 rendered_all=1
elif [ "$size" = quick ]; then
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
rounds_steps=${STUDY_ROUNDS_STEPS:-$rounds_steps} gathered_steps=${STUDY_GATHERED_STEPS:-$gathered_steps}
long_steps=${STUDY_LONG_STEPS:-$long_steps} rendered_all=${STUDY_RENDERED_ALL:-$rendered_all}
gathered_candidates=${STUDY_GATHERED:-$gathered_candidates} balanced_candidates=${STUDY_BALANCED:-$balanced_candidates}
further_rounds=${STUDY_FURTHER_ROUNDS:-2} fresh_images=${STUDY_FRESH:-4}
denoising=${STUDY_DENOISING:-25} score_steps=${STUDY_SCORE_STEPS:-20} noisy=${STUDY_SCORE_TIMESTEPS:-451-999} top=${STUDY_TOP:-3} lr=${STUDY_LR:-5e-4}
per_prompt=${STUDY_RENDERED:-8} per_prompt_balanced=${STUDY_BALANCED_TOP:-24}
mkdir -p "$folder"
export ATTUNE_CORPUS=$folder/corpus
[ -e "$ATTUNE_CORPUS/attune.json" ] || "$attune" init

. Benchmarks/shapes/rows.sh
. Benchmarks/shapes/rounds.sh

[ -s "$folder/train.txt" ] || prompts train "$train" > "$folder/train.txt"
[ -s "$folder/test.txt" ] || prompts test "$test" > "$folder/test.txt"

# What results.py says of this study: sizes that were given, and not where it lies.
env | grep '^STUDY_' | grep -vE '^STUDY_(RESULTS|ROWS)=' | sort | tr '\n' ' ' > "$folder/sizes.txt" || true

images_of reference "$folder/test.txt" "${STUDY_REFERENCE:-10}"
evaluate base
choice choice 1 "$choice_prompts"
# The likelihood's form was found on the first 150 prompts; the others had no part in it.
if [ "$size" != quick ]; then
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
    [ "$size" != quick ] || continue
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
    rewarded_gathered "judge-gathered-all-weights-s$seed" "$rounds" "$seed"
    balanced "judge-balanced-all-weights-s$seed" "judge-gathered-all-weights-s$seed" "$rounds" "$seed"
    matched "rendered-matched-all-weights-s$seed" "$seed"
    if wanted "rendered-all-long-s$seed"; then
        # As the bundled model was trained, with right captions alone.
        images_of rendered-all datasets/shapes/train.txt "$rendered_all" 43
        choose rendered-all --where "tag = 'rendered-all'" --all
        steps=$long_steps row "rendered-all-long-s$seed" rendered-all "$seed" --targets all --lr 4e-4 \
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

# The rows that README's claims are about.
fresh base
for seed in $seeds; do
    for by in random mi contrast fit judge nft-judge judge-long rendered-long; do fresh "$by-s$seed"; done
    for by in random fit-best; do fresh "$by-all-weights-s$seed"; done
    fresh "judge-all-weights-s$seed-r1"
    fresh "rendered-gathered-all-weights-s$seed"
    for round in $(seq 2 "$((rounds + further_rounds))"); do fresh "nft-judge-all-weights-s$seed-r$round"; done
done

python3 Benchmarks/shapes/results.py "$folder" --to "${STUDY_RESULTS:-$results}"
