#!/usr/bin/env bash
# The whole of MI-TUNE on the small model in datasets/, with the commands that anyone would type.
set -euo pipefail
cd "$(dirname "$0")/.."
unset OPENBLAS_CORETYPE # it can halve OpenBLAS's speed
export PATH="$PWD/.build/release:$PATH"
# The folder to fill (default: demo); one that this script has made before is replaced.
out=${1:-demo}
export ATTUNE_CORPUS="$out/corpus"
model=datasets/tiny-sd
prompts=datasets/prompts/demo.txt
if [ -e "$out" ] && [ ! -e "$out/corpus/attune.json" ] && [ -n "$(ls -A "$out")" ]; then
    echo "demo: $out holds something else; give another folder: Scripts/demo.sh FOLDER" >&2
    exit 1
fi
rm -rf "$out"
mkdir -p "$out"
began=$(date +%s)

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
run() { echo "\$ $*"; "$@"; }

say "1. A corpus: 16 candidates for each of 20 prompts, scored while they are made"
run attune init
run attune generate --model $model --prompts $prompts --images-per-prompt 16 --steps 50 --guidance 5 --tag demo
run attune query --by mi --top 5 --columns prompt,seed,mi,mi_se

say "2. The best of each prompt by mutual information, as a data set that Hugging Face loads"
run attune select best --by mi --top 1 --per prompt
run attune export best --format imagefolder --to "$out/best"

say "3. DoRA on the selection, killed (SIGKILL) in the middle and resumed"
training=(train best --model $model --run demo --rank 16 --alpha 16 --steps 120 --batch 8 --accumulate 1 --lr 2e-3
    --checkpoint-every 20 --evaluate 32)
echo "\$ attune ${training[*]}"
attune "${training[@]}" &
victim=$!
# Kill it once it has sealed a checkpoint that is not its last.
until compgen -G "$ATTUNE_CORPUS/runs/demo/checkpoints/*.safetensors" >/dev/null || ! kill -0 $victim 2>/dev/null; do
    sleep 0.2
done
sleep 1
kill -KILL $victim 2>/dev/null || true
{ wait $victim || true; } 2>/dev/null
echo "killed; the same command resumes from its last checkpoint:"
run attune "${training[@]}"

say "4. The same seeds with and without the adapter"
adapter=$ATTUNE_CORPUS/runs/demo/adapter/pytorch_lora_weights.safetensors
sampling=(sample --model $model --prompts $prompts --steps 25 --guidance 3 --images-per-prompt 3)
run attune "${sampling[@]}" --to "$out/base"
run attune "${sampling[@]}" --adapter "$adapter" --to "$out/tuned"

# In the corpus too, from the seeds that the base model had: attune serve then compares both, blind.
run attune generate --model $model --prompts $prompts --images-per-prompt 4 --steps 50 --guidance 5 --adapter "$adapter" --tag tuned

say "5. Did it help? The shapes judge's before and after, on prompts that nothing was trained on"
# Six of each category.
awk -F'\t' 'seen[$2]++ < 6' datasets/shapes/test.txt > "$out/judged.txt"
run attune evaluate --model $model --adapter "tuned=$adapter" --prompts "$out/judged.txt" --images-per-prompt 3 --guidance 3 \
    --steps 25 --seed 100000 --referee shapes --name demo
cat <<'EOF'
The column shapes is the share of images that show exactly what their prompt says; brackets hold 95 %. Thirty prompts tell only a
large difference from none: it is one where a star follows its interval. MI says how much a prompt changes an image, not whether
the image is right, so expect a loss rather than a gain here; datasets/shapes/RESULTS.md measures what does help.
EOF

say "6. A report to send, and a check of every byte"
run attune report --selection best --compare "$out/base" "$out/tuned" --run demo --evaluation "$ATTUNE_CORPUS/evaluations/demo.json" \
    --to "$out/report.html"
run attune verify

cat <<EOF

Made in $(($(date +%s) - began)) seconds:
  $out/report.html              one file: candidates by MI, traces, losses, base against tuned, the judge's figures
  $out/best                     the selection, for datasets.load_dataset("imagefolder", data_dir=...)
  $adapter
                                  the adapter, as diffusers loads it
Try next:
  export PATH="\$PWD/.build/release:\$PATH" ATTUNE_CORPUS=$out/corpus
  make gallery && attune serve --allow-edits    # look, pick by keyboard, compare base and tuned blind
  attune query "mi > 20 AND prompt LIKE '%star%'" --by mi --top 5
  attune generate --model $model --prompts datasets/prompts/color.txt --images-per-prompt 4 --steps 50
  attune sample --model $model --prompts $prompts --adapter $adapter --guidance 1.5 --to $out/more
EOF
