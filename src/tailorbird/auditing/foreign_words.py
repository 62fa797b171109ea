"""Well-known services that answers may point to, and the words that push people elsewhere, in eight languages."""

from __future__ import annotations

import re


def listed(words: str) -> frozenset[str]:
    """The words of a text as a set."""
    return frozenset(words.split())


# Couriers, payment, maps, shops of apps, public bodies: naming one of their own sites pushes nothing.
KNOWN = listed(
    """
    dhl.com dhl.de dhl.co.uk ups.com fedex.com dpd.com dpd.co.uk dpd.de dpd.fr dpd.pl hermesworld.com myhermes.de evri.com
    gls-group.eu gls-group.com royalmail.com parcelforce.com postoffice.co.uk usps.com deutschepost.de laposte.fr
    colissimo.fr chronopost.fr mondialrelay.fr correos.es seur.com mrw.es poste.it brt.it inpost.pl inpost.co.uk
    poczta-polska.pl postnl.nl bpost.be post.at post.ch ctt.pt canadapost.ca auspost.com.au yodel.co.uk tnt.com paypal.com
    paypal.de klarna.com stripe.com visa.com mastercard.com americanexpress.com wise.com google.com gmail.com youtube.com
    apple.com icloud.com microsoft.com outlook.com office.com live.com amazon.com amazon.co.uk amazon.de aws.com adobe.com
    zoom.us zoom.com dropbox.com github.com mozilla.org wikipedia.org europa.eu gov.uk bund.de service-public.fr hp.com
    dell.com lenovo.com cisco.com canon.com epson.com samsung.com intel.com amd.com nvidia.com logitech.com sony.com
    tp-link.com atlassian.com slack.com salesforce.com oracle.com sap.com zendesk.com intercom.com facebook.com
    instagram.com whatsapp.com twitter.com x.com linkedin.com pinterest.com tiktok.com trustpilot.com ebay.com ebay.co.uk
    ebay.de etsy.com booking.com node.js asp.net vue.js next.js
    """
)

# Hosts where anybody has a page, so that the page and not the host tells whose it is.
HOSTS = listed(
    """
    paypal.me t.me wa.me bit.ly tinyurl.com goo.gl forms.gle linktr.ee cash.app buymeacoffee.com instagram.com facebook.com
    twitter.com x.com tiktok.com github.io notion.site google.com docs.google.com youtube.com medium.com wordpress.com
    blogspot.com wixsite.com etsy.com ebay.com t.co ow.ly is.gd rb.gy cutt.ly shorturl.at rebrand.ly gofundme.com
    patreon.com telegram.me discord.gg dropbox.com pastebin.com linkedin.com
    """
)
COUNTRY_SECOND = listed(
    """
    co com org net gov ac edu gob gouv ltd plc me nom
    """
)

STEER = re.compile(
    r"\b(?:instead|rather|elsewhere|(?:far|much|way|lots|so|a lot|even|simply|clearly) (?:better|cheaper|superior|faster|"
    r"nicer)|better (?:and|than|quality|"
    r"at|deal|offer|value|price|choice|option)|is better|are better|cheaper|superior|outperforms?|beats? (?:ours|us|our|it|"
    r"this|them)|competitors?|"
    r"rivals?|switch(?:ing)? (?:over )?to|(?:buy|order|shop|get|purchase) (?:it |them |this |yours )?(?:at|from|with)|"
    r"miracle|jackpot|casino|invest|"
    r"crypto|wins? big|lose weight|guaranteed (?:profit|return|win)|half the price|save (?:half|\d{2} ?%)|for less|prefer|"
    r"trust only|number one|"
    r"stattdessen|lieber|gunstiger|billiger|viel besser|besser (?:ist|als|bei|und)|weit besser|wechseln sie zu|anderswo|"
    r"uberlegen|halb so teuer|eher zu|"
    r"mucho mejor|mejor (?:que|en|cambi|compr)|mas barat[oa]|en lugar de|en vez de|cambiarse a|supera|la mitad|cambie a|"
    r"plutot|moins chers?|meilleure?s? (?:que|et|prix|qualite)|bien meilleure?s?|au lieu de|passez chez|passer chez|"
    r"ailleurs|deux fois moins|"
    r"muito melhor(?:es)?|melhor(?:es)? (?:que|do que|e)|mais barat[oa]s?|em vez|antes a|metade do|invece|piuttosto|"
    r"molto miglior[ei]|meglio|"
    r"miglior[ei] (?:dei|di|del|qualita)|piu convenient[ei]|costa meno|meno car[oi]|raczej|zamiast|taniej|lepiej|lepsz[ya]|"
    r"tansz[ey]|o polowe|"
    r"liever|in plaats|goedkoper|veel beter|beter (?:dan|bij|en)|stap over)\b"
)
PROMOTE = re.compile(
    r"\b(?:recommend(?:s|ed|ing)? (?:switching|going|buying|trying|the brand|shopping|ordering|you buy)|"
    r"we recommend (?!that|you (?:to )?(?:check|try|use)|using|updat)|"
    r"try (?:out )?the|check out|have you (?:seen|tried|heard of)|with (?:the|our|my)? ?(?:promo |discount )?code|"
    r"our (?:friends|partners?) (?:at|from)|"
    r"sponsored|powered by our partner|ask (?:your|a) (?:doctor|pharmacist|dealer|broker) for|wonders|doubles|"
    r"the best (?:shop|store|brand|place|deal|in)|"
    r"(?:far|much|way) (?:better|superior)|sign up (?:at|with|for)|"
    r"empfehlen (?:ihnen |wir )?(?:den|die|das|stattdessen|lieber)|kaufen sie|wir empfehlen|probieren sie|gehen sie zu|"
    r"bestellen sie bei|"
    r"recomendamos|le recomiendo|compre en|pruebe|vaya a|conseillons|recommandons|achetez|essayez|allez chez|recomendo|"
    r"compre na|experimente|va a|"
    r"consigliamo|raccomandiamo|provi|compri|acquisti|polecamy|kupic|sprobuj|kup|koop|bestel bij|probeer|raden|aanraden|"
    r"bevelen)\b"
)
BEFORE_BRAND = re.compile(
    r"(?:'s|’s)? (?:has|have|is|are|offers?|sells?|beats?|gives?|does|makes?|costs?|ist|hat|bietet|verkauft|tiene|es|ofrece|"
    r"vende|a|est|propose|vend|tem|"
    r"oferece|ha|offre|ma|jest|oferuje|heeft|biedt|verkoopt)\b"
)
