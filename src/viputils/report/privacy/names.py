"""Names: where a text names a person.

A full name is found by its capital letters. A first name alone, and a name in small letters or in a line of capitals,
is found by a list of common first names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

Span = tuple[int, int]

_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*\.?")
_BETWEEN = re.compile(r"[\"']?\s[\"']?|(?<=\.)")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PARTICLES: Final = _words("de del la las los el y van von der den da di dos bin al")
_WITH_STOP: Final = _words("jr. sr. st. mr. mrs. ms. dr. sta. sto.")
_GENERATION: Final = _words("ii iii iv jr jr. sr sr.")
# What can stand before a name with a capital letter, and is no part of it.
_BEFORE_A_NAME: Final = _words(
    "a after all also an and as at before both but by during for from he her his if in it its last man most no "
    "not now of officers on one only our or police since she so some staff that the their then there these they this "
    "those to today two under until we when where which while who with woman yesterday you "
    "january february march july september october november december "
    "monday tuesday wednesday thursday friday saturday sunday suspect victim client defendant witness name "
    "ayer con cuando de desde el ella en entre hoy la las los nuestra nuestro para pero por si sin su sus también"
    " un una y"
)
# So can these, but they are first names as well.
_MONTHS: Final = _words("april may june august")
# Words of places, offices and days: what contains one is no person's name.
_NO_NAME: Final = _words(
    "street avenue boulevard road drive circle trail parkway highway loop terrace plaza square "
    "ave blvd st rd dr ln ne nw se sw northeast northwest southeast southwest central downtown "
    "area command district county city town village valley heights hills pueblo mall building "
    "university school college academy elementary hospital clinic center centre library housing home homes apartments "
    "shelter motel hotel community communities community's department division office agency bureau council "
    "commission coalition program project initiative team unit task force services service safety health healthy "
    "healing violence intervention outreach prevention police sheriff sheriff's rescue justice state united "
    "states america albuquerque bernalillo mexico santa rio grande thanksgiving christmas easter week "
    "month year families family youth adults children people resources center's association foundation network "
    "company inc llc report medicaid medicare voucher section stable assistance food custom "
    "notification notifications attorney attorney's federal national international american domestic group "
    "probation parole juvenile court courts detention corrections defender public bank pantry market store cafe museum "
    "gym arts club league boys girls ministries baptist catholic methodist lutheran mission chapel temple "
    "ambulance medical presbyterian lovelace crisis trauma recovery victim victims survivors compensation crime "
    "data fiesta festival balloon holiday veterans memorial hispanic heritage history legal aid industries army"
    " habitat humanity ride metro news journal channel radio real time media social facebook instagram "
    "calle avenida camino paseo parque escuela primaria secundaria preparatoria centro comunidad comunitario programa "
    "equipo ciudad condado policía alcaldía departamento oficina iglesia biblioteca universidad"
)
# These are surnames as well, unless the words before show that it is a place.
_PLACES: Final = _words("hill park west church day grant lane north east south house court place way base mesa inn")
_AT = re.compile(r"\b(?:at|near|outside|inside|along|around|behind|in|on|toward|towards)\s(?:the\s)?$", re.IGNORECASE)
# After these even a full name is that of a street: "near Juan Tabo".
_BESIDE_A_STREET = re.compile(
    r"\b(?:near|along|off|between|around|towards?|corner of|cerca de|entre)\s(?:the\s|la\s)?$", re.IGNORECASE
)
_TITLES: Final = _words(
    "officer officers chief deputy detective sergeant lieutenant captain mayor councilor councilors councilman "
    "councilwoman commissioner judge director coordinator manager worker workers counselor principal teacher pastor "
    "reverend bishop doctor dr president governor senator representative attorney advocate chairman chairwoman chair "
    "reporter spokesman spokeswoman spokesperson supervisor administrator superintendent professor "
    "oficial jefe jefa agente detective alcalde alcaldesa concejal concejala juez jueza director directora "
    "coordinador coordinadora gerente trabajador trabajadora consejero consejera maestro maestra padre doctora "
    "gobernador gobernadora senador senadora promotor promotora"
)

# Common first names of the United States and of Spanish speakers, without those that are ordinary words.
_FIRST: Final = _words(
    "aaron abel abigail abraham adam adan addison adelaida adelina adrian adriana adrienne agustin aidan aileen aisha "
    "alan alana alba albert alberta alberto alec alejandra alejandro alex alexa alexander alexandra alexandria alexia "
    "alexis alfonso alfred alfredo alice alicia alisha alison allen allison alma alonso alonzo alvaro alvin alyssa "
    "amalia amanda amber amelia amy ana anabel anastasia andre andrea andres andrew angela angelica angelina angelo "
    "angie anita ann anna anne annette annie anthony antoine antoinette antonia antonio araceli ariana ariel armando "
    "arnold arnulfo arthur arturo ashley ashton aubrey audrey aurora ava axel ayden barbara beatrice beatriz becky "
    "benito benjamin bernadette bernard bernardo bernice bertha beth bethany betty beverly bianca blanca bobby bonnie "
    "bradley brandi brandon brandy brayan breanna brenda brendan brenna brent brett brian briana brianna bridget"
    " brittany "
    "brooke bruce bryan bryce bryson caitlin caleb calvin camila camille candace carl carla carlos carmelita carmen "
    "caroline carolyn carrie casey cassandra cassie catalina catherine cathy cecilia cedric celeste celia cesar chad "
    "charlene charles charlie charlotte chelsea cheryl chloe chris christina christine christopher christy cindy"
    " claire "
    "clara clarence clarissa claudia clayton clifford clifton clinton cody colin colleen colton concepcion connie "
    "connor conrad corey corinne cory courtney craig cristian cristina cristobal curtis cynthia daisy daisha dakota"
    " damian "
    "damien damon dana daniel daniela danielle danny daphne darius darla darlene darnell darren darrell darryl"
    " daryl dave "
    "david dayana deandre deanna debbie deborah debra delia demetrius denise dennis deonte derek derrick deshawn"
    " desiree "
    "devin devon diana diane diego dillon dina dominic dominick dominique donald donna donnie doris dorothy douglas"
    " doug "
    "duane dustin dwayne dwight dylan ebony eddie edgar edith edna eduardo edward edwin efrain eileen elaine eleanor "
    "elena eli elias elijah elisa elizabeth ella ellen elmer eloisa elsa elva elvira emanuel emilia emiliano emilio "
    "emily emma emmanuel enrique eric erica erick erik erika erin ernest ernestina ernesto esmeralda estela esteban "
    "estella esther ethan eugene eugenia eva evan evangelina evelyn fabian fabiola fatima federico felicia felipe"
    " felix "
    "fernanda fernando florence floyd frances francesca francis francisca francisco frankie franklin fred freddy "
    "frederick gabriel gabriela gabriella gabrielle gail garrett gary gavin genevieve geoffrey george gerald geraldine "
    "gerardo gilbert gilberto gina gladys glenda glenn gloria gonzalo gordon graciela greg gregorio gregory gretchen "
    "guadalupe guillermo gustavo hannah harold harriet harry hazel heather hector heidi helen henry herbert heriberto "
    "herman hernan hilda homer horacio howard hugo humberto ian ignacio ilana imani ines ingrid irene irma isaac"
    " isabel "
    "isabella isaias isaiah isidro ismael israel itzel ivan jacinto jackie jacob jacqueline jada jaime jake jalen"
    " jamal "
    "james jamie jane janelle janet janice jared jasmin jasmine jason javier jayden jayla jaylen jean jeanette"
    " jeanne jeff "
    "jeffrey jennifer jenny jeremiah jeremy jerome jerry jesse jessica jesus jill jillian jim jimmy joan joanna joanne "
    "joaquin jocelyn jody joe joel joey johanna john johnathan johnny jon jonathan jordan jorge jose josefina joseph "
    "joshua josiah josie josue joyce juan juana juanita judith judy julia julian juliana julie julio julius justin "
    "justina kaitlyn karen karina karl karla kate katelyn katherine kathleen kathryn kathy katie katrina kayla "
    "kaylee keisha keith kelly kelsey kelvin kendra kendrick kenneth kenny kevin kiara kim kimberly kirk krista"
    " kristen "
    "kristin kristina kristopher kurt kyle lamar larry latasha latisha latoya laura lauren laurie lawrence leah lena "
    "leandro lee leila leo leon leonard leonardo leonel leroy leslie leticia lewis lidia lilia liliana lillian linda "
    "lindsay lindsey lisa lloyd logan lola lonnie lorena lorenzo loretta lori lorraine louis louise lourdes lucas"
    " lucia "
    "luciana luciano lucille lucy luis luisa luke lupe lydia lynn mackenzie magdalena makayla malachi malcolm malik "
    "manny manuel manuela marc marcela marcelino marcella marcelo marcia marco marcos marcus margaret margarita maria "
    "mariah mariana maribel maricela marie marilyn mario marisa marisela marisol marissa marjorie marlene marquis"
    " marsha "
    "marshall marta martha martin martina marvin mary mateo mathew matt matthew maureen maurice mauricio maximiliano "
    "megan melanie melinda melissa melody melvin mercedes meredith micaela micah michael michaela micheal michelle "
    "miguel mike mildred milton mindy miranda miriam misty mitchell moises molly monica monique morgan moses myra"
    " myrna "
    "nadia nadine nancy naomi natalia natalie natasha nathan nathaniel neil nelson nestor nevaeh nicholas nichole nick "
    "nicolas nicole nina noah noe noel noemi nora norma norman octavio ofelia olga oliver olivia omar orlando oscar "
    "osvaldo pablo paige pamela paola patricia patrick patty paul paula pauline pedro peggy penelope perla peter"
    " philip "
    "phillip phyllis priscilla quentin quincy quinton rachel rafael ralph ramiro ramon ramona randall randy raquel "
    "rashad raul raven ray raymond reba rebecca regina reginald rene renee reyna reynaldo rhonda ricardo richard rick "
    "ricky rigoberto rita robert roberta roberto robyn rocio roderick rodney rodolfo rodrigo rogelio roger roland "
    "rolando roman romeo ron ronald ronnie rosa rosalia rosalinda rosanna rosemary rosie ross roxanne roy ruben"
    " rudolfo "
    "rudy rufus russell ruth ryan sabrina salma salomon salvador samantha sammy samuel sandra sandy santiago santos"
    " sara "
    "sarah saul sean sebastian selena serena sergio seth shane shanice shannon sharon shaun shauna shawn shawna sheila "
    "shelby shelly sheri sherry shirley sidney silvia simon sofia sonia sonya sophia sophie stacey stacy stanley"
    " stella "
    "stephanie stephen steve steven stuart susan susana susanna suzanne sylvia tabitha tamara tammy tanisha tanya tara "
    "tasha tatiana taylor ted terence teresa terrance terrell terrence terri terry tessa thelma theodore theresa"
    " thomas "
    "tiffany tim timothy tina todd tom tomas tommy toni tony tonya tracey tracy travis trevon trevor trey trisha"
    " tristan "
    "troy tyler tyrell tyrone tyson ulises valentina valeria valerie vanessa vernon veronica vicente vickie vicky "
    "victoria vincent viola violeta virginia viviana vivian walter wanda warren wayne wendy wesley whitney wilbert "
    "wilfredo willard william willie wilma xavier ximena yadira yajaira yesenia yolanda yvette yvonne zachary zachery "
    "abdul ahmed ali aliyah amari amir ashlyn asia benita brayden bria brielle bryanna cameron camron candelario"
    " carmelo "
    "carson celestino chuy ciara damaris daquan dario dashawn davon deja dejah delfina derick dontae dusty efren"
    " eliseo "
    "erasmo eusebio evaristo ezekiel ezra fidel filiberto genaro gianna harper hassan hilario imelda isabela isiah"
    " izaiah jabari "
    "jaden jaiden jairo jakob janae jaquan jaylon jazmin jazmine jermaine josefa jovita kaden kaleb kamila keandre"
    " keanu "
    "kenji keyshawn kiana kobe lamont landon latrice layla lazaro linh macario magali marcial marlon mauro maximo maya "
    "mikayla minh mireya mohammed muhammad mya nasir nazario nia noelia nolan nyla octavia odalys omari paloma "
    "petra porfirio preston raheem rasheed reggie romello rosalba rosalio rosaura rosendo rufino ruperto samir"
    " saturnino savannah shanelle "
    "shaquille skylar solomon tanner tariq tavares teodora teodoro thuy tiana tito titus trayvon treyvon tyree"
    " tyrese valente "
    "vidal vince wendell wyatt xochitl yahir yaretzi yasmin yazmin yulissa zaire zane zenaida zion zoila zulema "
    "zoe zoey"
)
# First names that are words of a sentence, places or streets as well: only with a second name beside them.
_ALSO_WORDS: Final = _words(
    "alma asia dusty gloria lee mercedes perla petra reyna rosa salvador santos savannah viola amber ashton aurora"
    " daisy dakota dana jordan melody misty raven ray roman virginia taylor"
)

_NAMED = re.compile(
    r"\b(?:[Nn]amed|[Cc]alled|by the name of|name (?:is|was)|goes by|known as|identified as|[Ll]lamad[oa]"
    r"|[Ss]e llama(?:ba)?"
    r"|[Nn]ombre es)\s(?P<name>[^\W\d_a-z][\w'-]+(?:\s[^\W\d_a-z][\w'-]+)?)"
)
_INITIALS = re.compile(
    r"(?<![\w.])(?!(?:U\.S|D\.C|N\.M|[NS]\.[EW]|P\.O|D\.A|Ph\.D)\b)[A-Z]\. ?[A-Z]\.(?: ?[A-Z]\.)?(?![\w])"
)
_LETTERS = re.compile(
    r"\b(?i:client|patient|victim|juvenile|minor|student|youth|cliente|paciente|víctima|menor"
    r"|joven)\s(?P<name>[A-Z]{2,3})\b"
)
# No second part of a name in small letters.
_NO_SURNAME: Final = _words(
    "a about after also an and are as asked at be been by came called can did died for from gave goes got had has"
    " he help "
    "her his in is it just lives lost moved now of on or our said saw she that the their then they to told too"
    " turned was "
    "we went were when where who whose will with works years age aged y de en con del la el los las que es fue era"
    " tiene un "
    "una se su por para"
)


def full_names(text: str) -> Iterator[Span]:
    """Return full names: capitalized words in a row, with initials and particles, that name no place and no office."""
    run: list[re.Match[str]] = []
    for word in _WORD.finditer(text):
        part = _is_part(word[0])
        if run and not (part and _BETWEEN.fullmatch(text, run[-1].end(), word.start())):
            yield from _person(text, run)
            run = []
        if part and (run or word[0][0].isupper()):
            run.append(word)
            if word[0].endswith(".") and not _keeps_stop(word[0]):
                yield from _person(text, run)
                run = []
    yield from _person(text, run)


def people(text: str) -> list[Span]:
    """Return every name of a person in a text, in order: full names, first names, initials, names in small letters."""
    found = list(full_names(text))
    found += [one.span("name") for one in _NAMED.finditer(text)]
    found += [one.span() for one in _INITIALS.finditer(text)]
    found += [one.span("name") for one in _LETTERS.finditer(text)]
    for start, end in _first_names(text):
        if not any(first < end and start < last for first, last in found):
            found.append((start, end))
    return sorted(set(found))


def can_be_a_name(word: str) -> bool:
    """Return whether a word with a capital letter can be the name of a person: it is none of a place or an office."""
    return word.casefold() not in _NO_NAME | _PLACES | _BEFORE_A_NAME | _TITLES | _MONTHS


def has_an_office(text: str, name: Span) -> bool:
    """Return whether the words of a name, or the word before it, are those of an office: ``Officer Jane Doe``."""
    before = text[max(name[0] - 40, 0) : name[0]].split()[-1:]
    words = [*before, *text[name[0] : name[1]].split()]
    return any(word.strip(".,'\"").casefold() in _TITLES for word in words)


def _first_names(text: str) -> Iterator[Span]:
    """Return common first names that stand alone, and in small letters with what can be a surname."""
    words = list(_WORD.finditer(text))
    for place, word in enumerate(words):
        # Letters that differ in their accents are one name: José, jose.
        bare = _bare(word).translate(_WITHOUT_ACCENTS).removesuffix("'s")
        if bare not in _FIRST:
            continue
        after = words[place + 1 : place + 2]
        follows = bool(after) and _BETWEEN.fullmatch(text, word.end(), after[0].start()) is not None
        if word[0].islower() or word[0].isupper():
            named = follows and after[0][0].casefold() not in _NO_SURNAME
            if named or (bare not in _ALSO_WORDS and word[0].islower()):
                yield word.start(), after[0].end() - after[0][0].endswith(".") if named else word.end()
            continue
        before = words[place - 1 : place] if place else []
        in_a_row = (follows and _is_part(after[0][0]) and after[0][0][0].isupper()) or (
            bool(before)
            and before[0][0][0].isupper()
            and _bare(before[0]) not in _BEFORE_A_NAME
            and _BETWEEN.fullmatch(text, before[0].end(), word.start()) is not None
        )
        if not in_a_row and bare not in _ALSO_WORDS and not _BESIDE_A_STREET.search(text, *_just_before(word)):
            yield word.start(), word.end() - word[0].endswith(".")


_WITHOUT_ACCENTS: Final = str.maketrans("áéíóúüñ", "aeiouun")


def _is_part(word: str) -> bool:
    return word[0].isupper() or word in _PARTICLES


def _keeps_stop(word: str) -> bool:
    return word.casefold() in _WITH_STOP or len(word) == 2


def _person(text: str, run: list[re.Match[str]]) -> Iterator[Span]:
    """Return the span of a person's name in capitalized words, if they contain one."""
    words = list(run)
    while words and (
        _bare(words[0]) in _BEFORE_A_NAME
        or _is_acronym(words[0][0], words)
        or (_bare(words[0]) in _MONTHS and len(words) > 2)
    ):
        del words[0]
    while words and (words[-1][0] in _PARTICLES or _is_acronym(words[-1][0], words)):
        del words[-1]
    names = [word for word in words if word[0] not in _PARTICLES and word[0].casefold() not in _GENERATION]
    if len(names) < 2 or len(names[-1][0].rstrip(".")) == 1 or any(_bare(word) in _NO_NAME for word in names):
        return
    if any(_bare(word) in _PLACES for word in names) and _AT.search(text, *_just_before(words[0])):
        return
    if _BESIDE_A_STREET.search(text, *_just_before(words[0])):
        return
    last = words[-1]
    yield words[0].start(), last.end() - (last[0].endswith(".") and not _keeps_stop(last[0]))


def _just_before(word: re.Match[str]) -> Span:
    """Return the place of the few words before a word."""
    return max(word.start() - 25, 0), word.start()


def _bare(word: re.Match[str]) -> str:
    return word[0].rstrip(".").casefold()


def _is_acronym(word: str, words: list[re.Match[str]]) -> bool:
    """Return whether a word in capitals stands among others that are not: ``APD``, and not ``JOHN SMITH``."""
    written_out = any(not other[0].isupper() for other in words if other[0] not in _PARTICLES)
    return written_out and word.isupper() and len(word.rstrip(".")) > 1 and word.casefold() not in _GENERATION
