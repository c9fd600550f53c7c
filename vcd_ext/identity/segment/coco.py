"""The 80 classes of COCO that detectors know best, and other words for them."""

CLASSES = (
    "person bicycle car motorcycle airplane bus train truck boat traffic_light fire_hydrant stop_sign parking_meter "
    "bench bird cat dog horse sheep cow elephant bear zebra giraffe backpack umbrella handbag tie suitcase frisbee "
    "skis snowboard sports_ball kite baseball_bat baseball_glove skateboard surfboard tennis_racket bottle wine_glass "
    "cup fork knife spoon bowl banana apple sandwich orange broccoli carrot hot_dog pizza donut cake chair couch "
    "potted_plant bed dining_table toilet tv laptop mouse remote keyboard cell_phone microwave oven toaster sink "
    "refrigerator book clock vase scissors teddy_bear hair_drier toothbrush"
)

SYNONYMS = {
    "person": "man woman boy girl child kid baby infant toddler teenager adult lady gentleman guy male female people "
    "human face portrait bride groom actor actress singer player athlete soldier officer policeman fireman doctor "
    "nurse chef dancer rider skier snowboarder surfer skateboarder student teacher worker businessman businesswoman "
    "mother father mom dad grandmother grandfather sister brother daughter son couple family crowd friend",
    "bicycle": "bike cycle",
    "car": "automobile sedan suv taxi cab jeep convertible hatchback minivan coupe",
    "motorcycle": "motorbike scooter moped",
    "airplane": "plane jet aircraft airliner aeroplane biplane",
    "bus": "minibus coach",
    "train": "locomotive tram",
    "truck": "lorry pickup van",
    "boat": "ship yacht sailboat canoe kayak rowboat ferry",
    "traffic_light": "stoplight traffic_signal",
    "fire_hydrant": "hydrant",
    "bird": "parrot owl eagle duck goose chicken hen rooster pigeon seagull sparrow penguin swan parakeet peacock crow",
    "cat": "kitten kitty tabby feline tomcat",
    "dog": "puppy pup doggy hound poodle retriever labrador husky terrier bulldog dachshund corgi pug beagle collie "
    "spaniel shepherd chihuahua dalmatian pomeranian shiba_inu",
    "horse": "pony foal stallion mare donkey",
    "sheep": "lamb ram goat",
    "cow": "bull calf ox cattle",
    "elephant": "mammoth",
    "bear": "panda cub",
    "backpack": "rucksack",
    "umbrella": "parasol",
    "handbag": "purse bag",
    "tie": "necktie",
    "suitcase": "luggage",
    "sports_ball": "ball football basketball baseball",
    "bottle": "flask",
    "wine_glass": "glass goblet",
    "cup": "mug teacup",
    "donut": "doughnut",
    "couch": "sofa",
    "potted_plant": "plant houseplant flowerpot",
    "dining_table": "table desk",
    "tv": "television monitor screen",
    "laptop": "computer notebook",
    "remote": "remote_control",
    "cell_phone": "phone smartphone cellphone telephone",
    "refrigerator": "fridge",
    "vase": "urn",
    "teddy_bear": "teddy stuffed_animal stuffed_bear plush plushie",
    "hair_drier": "hairdryer hair_dryer",
}

_IRREGULAR = {"men": "man", "women": "woman", "children": "child", "puppies": "puppy", "kitties": "kitty"}
_IRREGULAR |= {"babies": "baby", "ladies": "lady", "geese": "goose", "calves": "calf", "oxen": "ox", "mice": "mouse"}
_IRREGULAR |= {"ponies": "pony", "knives": "knife", "huskies": "husky", "policemen": "policeman", "skis": "skis"}

_BY_WORD = {name: name for name in CLASSES.split()} | {
    word: name for name, words in SYNONYMS.items() for word in words.split()
}


def class_of(words: str) -> str | None:
    """Return the class that one or two words name, singular or plural ("kittens" is "cat"); None if none."""
    *first, last = words.lower().split()
    for form in (last, _IRREGULAR.get(last, last), last.removesuffix("s"), last.removesuffix("es")):
        name = _BY_WORD.get("_".join([*first, form]))
        if name:
            return name.replace("_", " ")
    return None
