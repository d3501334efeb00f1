#!/usr/bin/env bash
# Run the whole report: every task over the seeds its intervals need, both laboratories, the page.
# Usage: scripts/reproduce.sh [COURSE]
#
# COURSE is the folder of the course's lang_id.npz and mnist_lenet.pt (default ../shared/data);
# without it the claims about them stay unmeasured. Runs go to runs/reproduce; what is finished there is
# kept and what was interrupted goes on. The page is runs/reproduce/report.html.
set -euo pipefail
cd "$(dirname "$0")/.."
course=${1:-../shared/data}
scripts/install.sh run
dlproj=.venv/bin/dlproj
runs=runs/reproduce
mkdir -p "$runs"

# once NAME COMMAND FLAG...: run it, go on with it, or leave it when it is done
once() {
    local name=$1 command=$2
    shift 2
    if [ -e "$runs/$name/result.json" ]; then
        echo "$name: done before" >&2
    elif [ -e "$runs/$name/config.json" ]; then
        "$dlproj" "$command" --resume "$runs/$name"
    else
        "$dlproj" "$command" --out "$runs/$name" "$@"
    fi
}

started=$SECONDS
once digits-report train-digits --recipe report --seeds 6
once digits train-digits --seeds 5
once digits-fast train-digits --recipe fast --seeds 5
once batchnorm-report ablate-batchnorm --recipe report
once batchnorm ablate-batchnorm --diagnose
once norms ablate-batchnorm --lr 0.02 --seeds 8 --norms
once digits-sweep sweep train-digits --recipe report --lr 0.005,0.02,0.08 \
    --momentum 0.5,0.92,0.98 --validation 30000 --seeds 3
once regression-report train-regression --recipe report --seeds 10
once regression-sweep sweep train-regression --recipe report \
    --lr 0.001,0.005,0.02,0.05,0.1 --seeds 5
once regression train-regression --seeds 10
once regression-best train-regression --recipe best --seeds 3
once langid-best train-langid --recipe best
if [ -d "$course" ]; then
    once langid-report train-langid --recipe report --seeds 5 --data "$course/lang_id.npz"
    for part in "cell rnn" "cell lstm" "embedding 16" "readout mean" "readout max"; do
        # shellcheck disable=SC2086 # a flag and its value
        once "langid-${part/ /-}" train-langid --recipe report --seeds 5 --no-plots --${part} \
            --data "$course/lang_id.npz"
    done
    once langid train-langid --seeds 5 --data "$course/lang_id.npz"
    once attack attack --model "$course/mnist_lenet.pt" --diagnose
else
    echo "no folder $course: the claims about the course's own files stay unmeasured" >&2
fi
for seed in 0 1 2 3 4; do
    once "attack-$seed" attack --epsilon 0.2 --limit 1000 --no-plots --diagnose --seed "$seed" \
        --model "$runs/digits/seed-$seed"
done
once attack-usual attack --method pgd --limit 2000 --model "$runs/digits/seed-0"
once attack-robust attack --method pgd --limit 2000 --model src/dlproj/trained/robust.safetensors
"$dlproj" report "$runs" --out "$runs/report.html" --force
echo "took $(( (SECONDS - started) / 60 )) min $(( (SECONDS - started) % 60 )) s" >&2
