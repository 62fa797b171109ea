"""Words of English, German, French, Spanish and Italian that say nothing about what a question is about."""

from __future__ import annotations

_WORDS = """
a about am an and any anything are as at be because been but by can could did do does for from get got had has have he her his how
i if in into is it its just like may me my no not of on one or our out please she should so some something than that the their
them then there these they this those to up us want was we were what when where which who why will with would you your yours
aber als am an auch auf aus bei bin bis bitte das dass dem den der des die dir doch du ein eine einem einen einer er es etwas für
haben hat hier ich ihr ihre im ist ja kann kein keine können man mein meine mich mir mit nach nicht noch nur oder ohne sein sich
sie sind so um und uns von war was wenn wer wie wir wird wo zu zum zur
au aux avec ce ces cette dans de des du elle en est et il je la le les leur ma mais mes moi mon ne nous on ou où par pas peut
peux pour puis pouvez quand que quel quelle qui quoi sa se ses si son sont sur te tu un une vos votre vous y
al algo como cómo con cuál cuándo cuánto de del dónde el ella en es esta este esto hay la las lo los mi mis muy no nos o para pero
por puede puedo que qué quién se si sin son su sus te tengo tiene tienen tu un una unas uno unos usted yo
che chi ci come con cosa da dei del della di dove e ha ho il io le lei mi mio nel non per più posso quando quanto quello questa
questo se si sono su tra un una è
"""
FUNCTION_WORDS = frozenset(_WORDS.split())
