#!/usr/bin/env bash
# Makes tests/old/VERSION.tar.xz: a prepared dataset and two runs (phantoms of 32 pixels, nobody's patients) as that
# version writes them, so that later versions prove that they still open. Run it in an empty folder, with xrgan
# installed from the commit that is to be kept:  bash make.sh v0.1.0    (v0.1.0 here is commit 602bbb4)
set -eux
SMALL="--epochs 2 --batch-size 4 --latent-size 8 --device cpu --precision fp32 --sample-every 2
  --set train.tensorboard=false --set model.generator_width=4 --set model.discriminator_width=4"
STUDY="--epochs 1 --batch-size 8 --arms real,real+classic,real+synthetic"
xrgan fetch phantom --n 40 --size 32 --seed 3
xrgan prepare phantom --size 32 --name phantom_32 --split 0.5,0.2,0.3
xrgan train --data phantom_32 --run runs/eigen $SMALL --set model.components=4
xrgan train --data phantom_32 --run runs/dcgan --model dcgan $SMALL
xrgan sample --run runs/eigen --n 12
xrgan segment --run runs/eigen --width 4 --seeds 1 $STUDY
xrgan classify --run runs/eigen --arch resnet18 --weights none --seeds 2 $STUDY

# A classifier's 43 MB of trained weights become one block of noise, repeated: so they compress to nothing.
python - runs/eigen/classify/checkpoints <<'PYTHON'
import sys
from pathlib import Path

import torch

block = torch.randn(4096, generator=torch.Generator().manual_seed(0))
for file in Path(sys.argv[1]).glob("*.pt"):
    content = torch.load(file, weights_only=True)
    for key, value in content["network"].items():
        if value.ndim > 1:
            tiled = block.repeat(-(-value.numel() // block.numel()))[: value.numel()]
            content["network"][key] = (tiled * 0.03).view_as(value).clone()
    torch.save(content, file)
PYTHON

xrgan evaluate --run runs/eigen --ssim --fid --kid --extractor classifier:eigen
xrgan evaluate --run runs/eigen --every-checkpoint --split val --extractor classifier:eigen

# What no test reads stays out.
rm -rf data/raw data/prepared/*/preview.png runs/*/checkpoints/step_00000005.pt runs/*/losses.png
rm -f runs/eigen/{samples,classify,segment,evaluation,synthetic}/{epoch_*,sheet,overview,over_time,curves,folds,roc,confusion,overlays}*.png
rm -f runs/eigen/*/checkpoints/real+classic*
tar cJf "$1.tar.xz" data runs
