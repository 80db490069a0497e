# What study.sh's rows are made of: candidates with scores, selections, training and evaluation. Sourced; the sizes are study.sh's.

# So many prompts, as many of each category as it has, in turn.
prompts() {
    awk -F'\t' '{ print seen[$2]++ "\t" $0 }' "datasets/shapes/$1.txt" | sort -t$'\t' -s -n -k1,1 | cut -f2- | sed -n "1,$2p"
}

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
    "$attune" generate --model "$model" --prompts "$folder/$1.txt" --images-per-prompt "$choice_candidates" \
        --steps "$denoising" --guidance 3 --sampler ddim --seed 200000 --tag "$1"
    measured "$1" "$choice_draws"
}

evaluated() { [ -e "$ATTUNE_CORPUS/evaluations/$1.json" ]; }

evaluated_as() { # NAME ROW GUIDANCE IMAGES-PER-PROMPT SEED: the model that the row's run made, or the bundled one with its adapter
    evaluated "$1" && return
    say "evaluate $1"
    local run=$ATTUNE_CORPUS/runs/$2 of=$model adapter=()
    if [ -e "$run/model/model_index.json" ]; then
        of=$run/model
    elif [ -e "$run/adapter/pytorch_lora_weights.safetensors" ]; then
        adapter=(--adapter "tuned=$run/adapter/pytorch_lora_weights.safetensors")
    fi
    "$attune" evaluate --model "$of" "${adapter[@]}" --prompts "$folder/test.txt" --images-per-prompt "$4" --guidance "$3" \
        --steps "$denoising" --sampler ddim --seed "$5" --referee shapes --reference "tag = 'reference'" \
        --plots "$folder/plots/$1" --name "$1" > "$folder/$1.txt"
}

evaluate() { evaluated_as "$1" "$1" "$guidance" "$images" 100000; } # ROW

# What was the best of several scales of guidance, and of several rows, is so in part by luck: at that scale it makes other images.
fresh() { # ROW
    evaluated "$1" && wanted "fresh-$1" || return 0
    local scale
    scale=$(python3 -c 'import json, sys; print("%g" % json.load(open(sys.argv[1]))["best"][-1]["guidance"])' \
        "$ATTUNE_CORPUS/evaluations/$1.json")
    evaluated_as "fresh-$1" "$1" "$scale" "$fresh_images" "$((100000 + images))"
}

# An image that is in the corpus keeps the tag that it has: so images of the same prompts take other seeds.
images_of() { # TAG PROMPTS IMAGES-PER-PROMPT [SEED]: rendered images with right captions
    [ -e "$folder/$1.imported" ] && return
    say "rendered images: $1"
    [ -e "$folder/$1-images" ] || "$attune" shapes render --prompts "$2" --per-prompt "$3" --seed "${4:-42}" --to "$folder/$1-images"
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
    evaluate "$name"
}

all_weights() { # ROW SELECTION SEED MODEL: every weight of a model trained, with a moving average
    model=$4 steps=$all_steps row "$1" "$2" "$3" --targets all --lr 3e-4 --lr-schedule cosine --warmup 50 --ema 0.995 \
        --drop-captions 0.1
}

choose() { # SELECTION SELECT-OPTIONS…; once, so that runs keep their selection
    local name=$1; shift
    [ -e "$folder/$name.selected" ] && return
    "$attune" select "$name" "$@"
    touch "$folder/$name.selected"
}
