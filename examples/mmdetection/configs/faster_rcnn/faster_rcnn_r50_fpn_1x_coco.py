# Faster R-CNN with a ResNet-50 and an FPN on COCO, twelve epochs: mmdetection's own configuration, with what is said
# here on top. It expects data/coco/annotations/instances_{train,val}2017.json and data/coco/{train,val}2017/.
_base_ = "../../../../mmdetection/configs/faster_rcnn/faster_rcnn_r50_fpn_1x_coco.py"

# written for 8 GPUs with 2 pictures each; for one GPU with 2 pictures the rate is an eighth
optimizer = dict(lr=0.02 / 8)
