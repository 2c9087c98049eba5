"""Hosts and mail domains that belong to everybody: public suffixes, mail providers, shared hosting; pure."""

from __future__ import annotations

import re


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


PROVIDERS = _names(
    "gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com ymail.com rocketmail.com "
    "icloud.com me.com mac.com aol.com proton.me protonmail.com protonmail.ch pm.me gmx.com gmx.de "
    "gmx.net gmx.at gmx.ch web.de freenet.de t-online.de mail.com mail.ru inbox.ru list.ru bk.ru "
    "yandex.ru yandex.com ya.ru qq.com 163.com 126.com sina.com foxmail.com zoho.com zohomail.com "
    "fastmail.com fastmail.fm hey.com tutanota.com tuta.io tuta.com mailbox.org posteo.de orange.fr "
    "wanadoo.fr free.fr laposte.net sfr.fr libero.it virgilio.it tiscali.it naver.com daum.net "
    "hanmail.net rediffmail.com seznam.cz wp.pl o2.pl onet.pl interia.pl abv.bg ukr.net comcast.net "
    "verizon.net att.net sbcglobal.net cox.net charter.net bellsouth.net btinternet.com virginmedia.com "
    "sky.com bigpond.com telstra.com shaw.ca rogers.com uol.com.br bol.com.br terra.com.br mailinator.com "
    "guerrillamail.com temp-mail.org 10minutemail.com yopmail.com sharklasers.com duck.com"
)
"""Where anybody gets an address."""
HOSTERS = _names(
    "github.io gitlab.io herokuapp.com vercel.app netlify.app pages.dev workers.dev web.app "
    "firebaseapp.com appspot.com run.app cloudfunctions.net amazonaws.com cloudfront.net "
    "elasticbeanstalk.com azurewebsites.net azureedge.net windows.net cloudapp.net onrender.com fly.dev "
    "railway.app deno.dev glitch.me repl.co replit.app ngrok.io ngrok.app ngrok-free.app "
    "trycloudflare.com loca.lt blogspot.com wordpress.com wixsite.com squarespace.com myshopify.com "
    "onmicrosoft.com sharepoint.com atlassian.net zendesk.com surge.sh digitaloceanspaces.com r2.dev "
    "webhook.site pipedream.net requestbin.com duckdns.org no-ip.org no-ip.com ddns.net dyndns.org hopto.org "
    "zapto.org sytes.net myftp.org dynu.net freeddns.org afraid.org nip.io sslip.io is-a.dev js.org "
    "serveo.net ngrok.dev streamlit.app hf.space gitbook.io readthedocs.io lovable.app bolt.host"
)
"""Where anybody gets a name below."""
_FAMILIES = re.compile(r"(?:yahoo|hotmail|live|outlook|gmx|yandex|ymail|msn)\.(?:co\.|com\.)?[a-z]{2,3}")
_REGISTRIES = _names(
    "uk.com us.com eu.com de.com gb.com gb.net uk.net br.com cn.com jpn.com ru.com sa.com za.com gr.com "
    "mex.com co.com in.net jp.net se.net hu.net eu.org us.org ae.org com.de com.se co.nl co.no"
)
"""Domains of firms that sell names below them."""
_SECOND = re.compile(
    r"(?:co|com|org|net|edu|gov|ac|or|ne|go|gob|gouv|gv|mil|nom|asn|ltd|plc|sch|nhs|police)\.[a-z]{2}|me\.uk|"
    r"(?:id|gen)\.au"
)


def is_suffix(domain: str) -> bool:
    """Whether a domain is one below which anybody may register: `com`, `co.uk`. One label always counts."""
    return "." not in domain or domain in _REGISTRIES or _SECOND.fullmatch(domain) is not None


def is_provider(domain: str) -> bool:
    """Whether it is one where anybody gets a mail address."""
    return domain in PROVIDERS or _FAMILIES.fullmatch(domain) is not None


def is_shared(domain: str) -> bool:
    """Whether it is one of a hoster, below which anybody gets a name."""
    return domain in HOSTERS or any(domain.endswith(f".{one}") for one in ("amazonaws.com", "windows.net"))
