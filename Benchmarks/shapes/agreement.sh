#!/usr/bin/env bash
# How well scores find the aligned images of a prompt, on the shapes benchmark with the bundled model: within-prompt AUC and
# the share of aligned images among each prompt's best. Resumable: everything is kept in a corpus.
#   Benchmarks/shapes/agreement.sh [FOLDER] [PROMPTS-PER-CATEGORY] [IMAGES-PER-PROMPT] [DRAWS] [STEPS] [NEAR-MISSES]
# With its defaults about 20 minutes on two Zen 4 cores.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=${1:-/tmp/attune-shapes} prompts=${2:-10} images=${3:-16} draws=${4:-2} steps=${5:-20} near=${6:-8}
attune=${ATTUNE:-.build/release/attune}
model=datasets/tiny-sd
mkdir -p "$folder"
export ATTUNE_CORPUS=$folder/corpus
[ -e "$ATTUNE_CORPUS/attune.json" ] || "$attune" init
# The first prompts of each category.
awk -F'\t' -v most="$prompts" 'seen[$2]++ < most' datasets/shapes/train.txt > "$folder/prompts.txt"
"$attune" generate --model "$model" --prompts "$folder/prompts.txt" --images-per-prompt "$images" --steps 25 --guidance 3 \
    --sampler ddim --tag shapes
where="tag = 'shapes'"
"$attune" score --model "$model" --where "$where" --draws "$draws" --steps "$steps" --negatives rules --count "$near"
"$attune" evaluate --where "$where" --referee shapes --score mi --score mc --score pointwise --score contrast_hard --score contrast \
    --score contrast:draws=1 --score contrast:negatives=4 --score contrast:above=0 --score contrast:above=500 \
    --score contrast:tau=0.1 --score contrast:tau=0.5 --score contrast:weight=kappa --score contrast:pooling=draw,tau=0.5
