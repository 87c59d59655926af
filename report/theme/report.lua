-- What both engines do to the document before any writer sees it.
--
-- The report's Markdown uses a few constructs that Pandoc's writers lay out too plainly or not at all: tiles,
-- tables side by side, tables with row headers, charts with an alternative text of their own. For HTML they stay
-- nodes of the document and get the attributes that report.css and a screen reader need. For Word they get the styles
-- of reference.docx. For Typst they become calls of the functions in theme.typ. Whatever text goes into such a call has been through Pandoc's own Typst
-- writer, so that no text of a record or an author is ever read as Typst.
--
-- It runs before Quarto's own filters, which would otherwise wrap tables and figures in nodes of their own.

local is_typst = FORMAT:match('typst') ~= nil
local is_html = FORMAT:match('html') ~= nil
local is_docx = FORMAT:match('docx') ~= nil

local stringify = pandoc.utils.stringify

-- ---------------------------------------------------------------- Typst

local function typst(blocks)
  local format = { format = 'typst', extensions = PANDOC_WRITER_OPTIONS.extensions }
  local written = pandoc.write(pandoc.Pandoc(blocks), format, pandoc.WriterOptions({ wrap_text = 'none' }))
  return (written:gsub('%s+$', ''))
end

local function content(blocks)
  return '[' .. typst(blocks) .. ']'
end

-- The same for many at once, because beginning to write takes longer than writing. Should a text look like the mark
-- between two of them, each is written by itself.
local function contents(many)
  local mark = '// vip: the next one //'
  local all = pandoc.Blocks({})
  for _, blocks in ipairs(many) do
    all:extend(blocks)
    all:insert(pandoc.RawBlock('typst', mark))
  end
  local written, rest = {}, typst(all)
  while true do
    local first, last = rest:find(mark, 1, true)
    if not first then
      break
    end
    written[#written + 1] = '[' .. rest:sub(1, first - 1):gsub('^%s+', ''):gsub('%s+$', '') .. ']'
    rest = rest:sub(last + 1)
  end
  if #written ~= #many then
    for i, blocks in ipairs(many) do
      written[i] = content(blocks)
    end
  end
  return written
end

local function inline_content(inlines)
  return content({ pandoc.Plain(inlines) })
end

-- A string literal of Typst has two characters that mean something in it.
local function literal(text)
  return '"' .. text:gsub('[\\"]', '\\%0'):gsub('%s+', ' ') .. '"'
end

local function call(name, ...)
  return pandoc.RawBlock('typst', '#' .. name .. '(\n  ' .. table.concat({ ... }, ',\n  ') .. ',\n)')
end

local function tuple(items)
  return '(' .. table.concat(items, ', ') .. ',)'
end

-- ---------------------------------------------------------------- Word

local function styled(blocks, style)
  return pandoc.Div(blocks, pandoc.Attr('', {}, { ['custom-style'] = style }))
end

local function styled_inlines(inlines, style)
  return pandoc.Span(inlines, pandoc.Attr('', {}, { ['custom-style'] = style }))
end

-- A link that is no web address leads nowhere from a file that somebody was sent.
local function Link(link)
  if is_docx and not link.target:match('^https?://') then
    return link.content
  end
end

-- What is in another language than the rest says so, for screen readers and hyphenation.
local function language_of(element)
  local lang = element.attributes.lang
  return lang and lang:match('^%a%a%a?$')
end

local function Span(span)
  if is_typst and language_of(span) then
    local result = pandoc.Inlines({ pandoc.RawInline('typst', '#text(lang: "' .. language_of(span) .. '")[') })
    result:extend(span.content)
    result:insert(pandoc.RawInline('typst', '];'))
    return result
  end
end

-- Typst makes one character of three dots, and one that is not seen of a hyphen before a question mark.
local function as_typed(text)
  local result = pandoc.Inlines({})
  while text ~= '' do
    local dots, hyphen = text:find('...', 1, true), text:find('-?', 1, true)
    local first = math.min(dots or #text + 1, hyphen or #text + 1)
    local marks = text:sub(first, first + (first == hyphen and 1 or 2))
    result:extend({ pandoc.Str(text:sub(1, first - 1)), pandoc.RawInline('typst', (marks:gsub('.', '\\%0'))) })
    text = text:sub(first + #marks)
  end
  return result
end

-- A number such as 9-1-1 stays on one line. (Public Sans has no hyphen that does so by itself.)
local function Str(str)
  if is_typst and (str.text:find('...', 1, true) or str.text:find('-?', 1, true)) then
    return as_typed(str.text)
  end
  if str.text:match('%d%-%d') and #str.text <= 20 then
    if is_typst then
      return { pandoc.RawInline('typst', '#box['), str, pandoc.RawInline('typst', '];') }
    elseif is_html then
      return pandoc.Span({ str }, pandoc.Attr('', { 'nowrap' }))
    end
  end
end

-- ---------------------------------------------------------------- Tables

local function is_total(row)
  local first = row.cells[1] and row.cells[1].contents[1]
  local inline = first and first.content and first.content[1]
  return inline ~= nil and inline.t == 'Strong'
end

-- Text can be aligned as its author likes; a column of numbers that says nothing is aligned to the right.
local function alignments(tbl)
  local result = {}
  for i, spec in ipairs(tbl.colspecs) do
    result[i] = spec[1]
    if spec[1] == pandoc.AlignDefault then
      local numbers = i > 1
      for _, body in ipairs(tbl.bodies) do
        for _, row in ipairs(body.body) do
          local text = row.cells[i] and stringify(row.cells[i].contents) or ''
          numbers = numbers and (text:match('^[%d.,%%%s%-–−]+$') ~= nil or text:match('^%[%l%]$') ~= nil)
        end
      end
      result[i] = numbers and pandoc.AlignRight or pandoc.AlignLeft
    end
  end
  return result
end

local typst_alignment = {
  [pandoc.AlignRight] = 'right',
  [pandoc.AlignCenter] = 'center',
  [pandoc.AlignLeft] = 'left',
}

local function html_table(tbl, aligned)
  for i in ipairs(tbl.colspecs) do
    -- A long line in a pipe table gives widths in per cent; the browser knows better.
    tbl.colspecs[i] = { aligned[i], pandoc.ColWidthDefault }
  end
  local wide = #tbl.colspecs > 4
  tbl.classes:extend(wide and { 'wide' } or #tbl.colspecs < 4 and { 'narrow' } or {})
  -- On a phone the rows of a wide table become blocks of names and numbers, and where the text is large those of any
  -- table. A browser then forgets that they are a table, unless every part of it has its role written down.
  local function role(part, name)
    part.attr.attributes.role = name
  end
  role(tbl, 'table')
  role(tbl.head, 'rowgroup')
  local labels = {}
  for _, row in ipairs(tbl.head.rows) do
    role(row, 'row')
    for i, cell in ipairs(row.cells) do
      cell.attributes.scope = 'col'
      role(cell, 'columnheader')
      labels[i] = stringify(cell.contents)
    end
  end
  for _, body in ipairs(tbl.bodies) do
    body.row_head_columns = 1
    role(body, 'rowgroup')
    for n, row in ipairs(body.body) do
      role(row, 'row')
      for i, cell in ipairs(row.cells) do
        role(cell, i == 1 and 'rowheader' or 'cell')
        if i == 1 then
          cell.attributes.scope = 'row'
        else
          cell.attributes['data-label'] = labels[i]
        end
      end
      if n == #body.body and is_total(row) then
        row.classes:insert('total')
      end
    end
  end
  return tbl
end

local function typst_table(tbl, aligned)
  local header = tbl.head.rows[1]
  local rows, total, many = { header }, false, { tbl.caption.long }
  for _, body in ipairs(tbl.bodies) do
    for _, row in ipairs(body.body) do
      rows[#rows + 1] = row
      total = is_total(row)
    end
  end
  for _, row in ipairs(rows) do
    for _, cell in ipairs(row.cells) do
      many[#many + 1] = cell.contents
    end
  end
  local written = contents(many)
  local caption, place = written[1], 1
  for i, row in ipairs(rows) do
    rows[i] = tuple({ table.unpack(written, place + 1, place + #row.cells) })
    place = place + #row.cells
  end
  local align = {}
  for i, name in ipairs(aligned) do
    align[i] = typst_alignment[name]
  end
  return call('report-table',
    'caption: ' .. caption,
    'align: ' .. tuple(align),
    'header: ' .. (header and table.remove(rows, 1) or '()'),
    'total: ' .. tostring(total),
    table.unpack(rows))
end

-- Word is told how wide each column is: numbers take what they need, and names the rest.
local function docx_table(tbl, aligned)
  local count = #tbl.colspecs
  local rows = {}
  for _, body in ipairs(tbl.bodies) do
    for _, row in ipairs(body.body) do
      rows[#rows + 1] = row
    end
  end
  -- How much of the page each column of numbers takes. A short name stays on one line, where there is room for that.
  local function needs(short, padding)
    local shares, sum = {}, 0
    for i = 2, count do
      local longest = 0
      for _, row in ipairs(rows) do
        longest = math.max(longest, utf8.len(stringify(row.cells[i].contents)) or 0)
      end
      for _, row in ipairs(tbl.head.rows) do
        local name = stringify(row.cells[i].contents)
        for part in name:gmatch((utf8.len(name) or 0) <= short and '.+' or '%S+') do
          longest = math.max(longest, utf8.len(part) or 0)
        end
      end
      shares[i] = (longest * 6.4 + padding) / 475
      sum = sum + shares[i]
    end
    return shares, sum
  end
  local shares, used = needs(12, 17)
  if used > 0.72 then
    shares, used = needs(0, 10)
  end
  local fits = math.min(1, 0.78 / math.max(used, 0.01))
  used = used * fits
  -- Few columns across a whole page leave a long way from a name to its number.
  shares[1] = math.max((count < 4 and 0.73 or 1) - used, 0.22)
  for i in ipairs(tbl.colspecs) do
    tbl.colspecs[i] = { aligned[i], i == 1 and shares[1] or shares[i] * fits }
  end
  local function style(row, name)
    for _, cell in ipairs(row.cells) do
      cell.contents = { styled({ pandoc.Para(pandoc.utils.blocks_to_inlines(cell.contents)) }, name) }
    end
  end
  for _, row in ipairs(tbl.head.rows) do
    style(row, 'Table Text')
  end
  for i, row in ipairs(rows) do
    -- Rows stay together on a page, unless there are too many.
    style(row, (i == #rows or #rows > 30) and 'Table Text Last' or 'Table Text')
  end
  for _, body in ipairs(tbl.bodies) do
    body.row_head_columns = 1
  end
  tbl.attributes['custom-style'] = 'ReportTable'
  local caption = tbl.caption.long
  tbl.caption = { long = {} }
  return #caption > 0 and { styled({ pandoc.Para(pandoc.utils.blocks_to_inlines(caption)) }, 'Caption'), tbl } or tbl
end

local function Table(tbl)
  local aligned = alignments(tbl)
  if is_typst then
    return typst_table(tbl, aligned)
  elseif is_docx then
    return docx_table(tbl, aligned)
  end
  return html_table(tbl, aligned)
end

-- ---------------------------------------------------------------- Charts

-- What the link to a chart's picture for slides is called; the front matter says it in the document's language.
local words_slide = {}

-- Word shows a raster picture, which lies beside the drawing under the same name. It is as large as on the PDF.
local function docx_chart(image, alt, caption, source)
  local file = image.src:gsub('%.svg$', '.png')
  local _, data = pandoc.mediabag.fetch(file)
  if not data then
    error('The picture ' .. file .. ' is missing.')
  end
  local size = pandoc.image.size(data)
  local width = math.min(4.4, 5.6 * size.width / size.height)
  local picture = pandoc.Image({ pandoc.Str(alt) }, file, '', pandoc.Attr('', { 'picture' }, { width = string.format('%.2fin', width) }))
  -- Where a picture is alone in its paragraph, Quarto puts both into a table, to lay it out.
  local blocks = { styled({ pandoc.Para(caption) }, 'Caption'), styled({ pandoc.Para({ picture, pandoc.RawInline('openxml', '<!-- -->') }) }, 'Chart') }
  if source ~= '' then
    blocks[#blocks + 1] = styled({ pandoc.Para({ pandoc.Str(source) }) }, 'Note')
  end
  return blocks
end

-- ![caption](file){fig-alt="what the chart shows"}, alone in its paragraph.
local function chart(image, caption, identifier)
  local alt = image.attributes['fig-alt'] or image.attributes.alt
  if not alt or alt:match('^%s*$') then
    error('The image ' .. image.src .. ' has no alternative text. Give it one: {fig-alt="what it shows"}.')
  end
  -- A picture of an issue lies in its folder. Anything else would make the page depend on another place.
  if image.src:match('^%a[%w+.-]*:') or image.src:match('^[/\\]') or image.src:match('%.%.') then
    error('The image ' .. image.src .. ' is not in the folder of the notebook.')
  end
  local source = image.attributes.source or ''
  if is_typst then
    return call('report-chart', 'path: ' .. literal(image.src), 'alt: ' .. literal(alt), 'caption: ' .. inline_content(caption),
      'source: ' .. literal(source))
  end
  if is_docx then
    return docx_chart(image, alt, caption, source)
  end
  local picture = pandoc.Image({ pandoc.Str(alt) }, image.src, '', pandoc.Attr('', {}, is_html and { alt = alt } or {}))
  local drawn = { pandoc.Plain({ picture }) }
  if source ~= '' then
    local below = pandoc.Inlines({ pandoc.Str(source) })
    if is_html and image.attributes.slide then
      below:extend({ pandoc.Space(), pandoc.Link(words_slide, image.attributes.slide) })
    end
    drawn[2] = pandoc.Div({ pandoc.Plain(below) }, pandoc.Attr('', { 'source' }))
  end
  local figure = pandoc.Figure(drawn, { long = { pandoc.Plain(caption) } }, pandoc.Attr(identifier, { 'chart' }))
  -- Quarto makes of any figure one of its own; what Pandoc has written already it leaves alone.
  return is_html and pandoc.RawBlock('html', pandoc.write(pandoc.Pandoc({ figure }), 'html')) or figure
end

local function Figure(figure)
  local block = figure.content[1]
  local image = block and block.content and block.content[1]
  if #figure.content == 1 and image and image.t == 'Image' then
    -- Pandoc gives the figure the id that its author gave the image.
    local identifier = figure.identifier ~= '' and figure.identifier or image.identifier
    return chart(image, pandoc.utils.blocks_to_inlines(figure.caption.long), identifier)
  end
end

-- A reader without implicit figures leaves the same construct a paragraph.
local function Para(para)
  local image = para.content[1]
  if #para.content == 1 and image.t == 'Image' and not image.classes:includes('picture') then
    return chart(image, image.caption, image.identifier)
  end
end

-- A picture among words has no caption, and nobody looked where it comes from.
local function Image(image)
  if not image.classes:includes('picture') then
    error('The image ' .. image.src .. ' stands in a line of text. Give it a paragraph of its own.')
  end
end

-- ---------------------------------------------------------------- Divs

local function tile_items(div)
  local list = div.content[1]
  if #div.content ~= 1 or list.t ~= 'BulletList' then
    error('A block of tiles holds one bullet list and nothing else.')
  end
  local tiles = {}
  for i, item in ipairs(list.content) do
    local inlines = item[1] and item[1].content
    if #item ~= 1 or not inlines or inlines[1].t ~= 'Strong' then
      error('A tile is a number in bold and its label: **2,599** adults assisted.')
    end
    local label = pandoc.Inlines({ table.unpack(inlines, 2) })
    while label[1] and (label[1].t == 'Space' or label[1].t == 'SoftBreak') do
      label:remove(1)
    end
    tiles[i] = { number = inlines[1].content, label = label }
  end
  return tiles
end

local function tiles(div)
  local items = tile_items(div)
  if is_typst then
    local written = {}
    for i, tile in ipairs(items) do
      written[i] = '(' .. inline_content(tile.number) .. ', ' .. inline_content(tile.label) .. ')'
    end
    return call('report-tiles', table.unpack(written))
  end
  if is_html then
    local list = {}
    for i, tile in ipairs(items) do
      list[i] = { pandoc.Plain({
        pandoc.Span(tile.number, pandoc.Attr('', { 'number' })),
        pandoc.Space(),
        pandoc.Span(tile.label, pandoc.Attr('', { 'label' })),
      }) }
    end
    div.content = { pandoc.BulletList(list) }
  end
  if is_docx then
    local list = {}
    for i, tile in ipairs(items) do
      list[i] = { pandoc.Para({ styled_inlines(tile.number, 'Tile Number'), pandoc.Space(), table.unpack(tile.label) }) }
    end
    return styled({ pandoc.BulletList(list) }, 'Tile')
  end
  return div
end

local function columns(div)
  if is_html then
    return div
  end
  local written = {}
  for _, column in ipairs(div.content) do
    if column.t ~= 'Div' or not column.classes:includes('column') then
      error('A block of columns holds columns and nothing else.')
    end
    written[#written + 1] = is_typst and content(column.content) or column
  end
  if is_docx then
    return written
  end
  -- Tables of many columns have no room beside each other.
  if div.content[1] and written[1]:match('\n  align: %(%a+, %a+, %a+, %a+,') then
    local result = pandoc.Blocks({})
    for _, column in ipairs(div.content) do
      result:extend(column.content)
    end
    return result
  end
  return call('report-columns', table.unpack(written))
end

-- What few readers need is folded under a line of text, which the attribute "summary" has.
local function details(div)
  local result = pandoc.Blocks({ pandoc.RawBlock('html', '<details>'),
    pandoc.Plain({ pandoc.RawInline('html', '<summary>'), pandoc.Str(div.attributes.summary or ''), pandoc.RawInline('html', '</summary>') }) })
  result:extend(div.content)
  result:insert(pandoc.RawBlock('html', '</details>'))
  return result
end

-- Quarto puts what a cell shows into blocks of its own; the pages of both engines are built without them.
local function is_cell(div)
  return div.classes:includes('cell') or div.classes:includes('cell-output')
end

local boxes = { notice = true, note = true, provenance = true }

local function Div(div)
  if is_cell(div) then
    return div.content
  elseif div.classes:includes('headline') and not is_html then
    return div.content
  elseif div.classes:includes('details') and is_html then
    return details(div)
  elseif div.classes:includes('tiles') then
    return tiles(div)
  elseif div.classes:includes('columns') then
    return columns(div)
  elseif is_typst and language_of(div) then
    -- Pandoc would put a heading that comes first on the line of the setting, where it is none.
    local result = pandoc.Blocks({ pandoc.RawBlock('typst', '#[#set text(lang: "' .. language_of(div) .. '")') })
    result:extend(div.content)
    result:insert(pandoc.RawBlock('typst', ']'))
    return result
  end
  for _, class in ipairs(div.classes) do
    if boxes[class] then
      if is_typst then
        -- The empty lines make even a single text a paragraph for a screen reader.
        return call('report-' .. class, '[\n\n' .. typst(div.content) .. '\n\n]')
      elseif is_docx then
        div.attributes['custom-style'] = class:sub(1, 1):upper() .. class:sub(2)
        return div
      elseif is_html and class == 'notice' then
        div.attributes.role = 'note'
        return div
      end
    end
  end
end

local function is_call(block, names)
  return block and block.t == 'RawBlock' and names:match(block.text:match('^#report%-(%a+)') or '-') ~= nil
end

-- A name and a number in each row: narrow enough to stand beside the chart that it follows.
local function is_small_table(block)
  return is_call(block, 'table') and (block.text:match('\n  align: %(%a+, %a+,%)') or block.text:match('\n  align: %(%a+, %a+, %a+,%)')) ~= nil
end

-- In Word a short text stays with what it leads to, and a table with the note below it.
local function docx_blocks(blocks)
  for i, block in ipairs(blocks) do
    local following = blocks[i + 1]
    local leads = following and following.t == 'Div' and following.attributes['custom-style']
    if block.t == 'Para' and (leads == 'Caption' or leads == 'Tile') and #stringify(block) < 400 then
      blocks[i] = styled({ block }, 'Lead')
    elseif block.t == 'Table' and leads == 'Note' then
      local rows = block.bodies[#block.bodies].body
      for _, cell in ipairs(#rows <= 30 and rows[#rows].cells or {}) do
        cell.contents[1].attributes['custom-style'] = 'Table Text'
      end
    end
  end
  return blocks
end

-- On paper a note stays on the page of the table or chart above it, and so does a short text that leads to one.
local function Blocks(blocks)
  if is_docx then
    return docx_blocks(blocks)
  elseif not is_typst then
    return nil
  end
  local result = pandoc.Blocks({})
  for i, block in ipairs(blocks) do
    if is_small_table(block) and is_call(result[#result], 'chart') then
      local chart_block = result:remove()
      result:insert(pandoc.RawBlock('typst', '#report-beside[' .. chart_block.text .. '][' .. block.text:gsub('^#report%-table%(', '%0\n  beside: true,') .. ']'))
    elseif is_call(block, 'note') and is_call(result[#result], 'table chart columns tiles beside') then
      local both = { pandoc.RawBlock('typst', '#report-together['), result[#result], block, pandoc.RawBlock('typst', ']') }
      result:remove()
      result:extend(both)
    elseif block.t == 'Para' and is_call(blocks[i + 1], 'table chart columns tiles') and #stringify(block) < 400 then
      result:insert(pandoc.RawBlock('typst', '#report-lead' .. inline_content(block.content)))
    else
      result:insert(block)
    end
  end
  return result
end

-- ---------------------------------------------------------------- The document

-- A screen reader moves along the headings: one of level 1, which is the title, and no level left out below it.
local function check_headings(doc)
  local above = 1
  doc:walk({
    Header = function(header)
      if header.level == 1 then
        error('The heading "' .. stringify(header) .. '" is of level 1, which is the title alone. Begin it with ##.')
      elseif header.level > above + 1 then
        error('The heading "' .. stringify(header) .. '" leaves out a level.')
      end
      above = header.level
    end,
  })
end

-- The title of a Word document is no heading, as in Typst. Every heading below it goes up by one.
local function raise_headings(doc)
  return doc:walk({
    Header = function(header)
      header.level = header.level - 1
      return header
    end,
  })
end

-- Header and footer find these words in the text by their style. The document has no properties but those of Word.
local function docx_metadata(meta)
  local names = { program = 'Program Name', report = 'Report Name', month = 'Report Month', site = 'Site', mark = 'Records Mark' }
  for key, style in pairs(names) do
    local words = meta.vip[key]
    if words and stringify(words) ~= '' then
      meta.vip[key] = pandoc.MetaInlines({ styled_inlines(pandoc.Inlines(words), style) })
    end
  end
end

-- The cover and the running header print these; one that is missing would leave a hole there.
local function check_metadata(meta)
  for _, key in ipairs({ 'program', 'report', 'month', 'city', 'department', 'site', 'running-header', 'as-of' }) do
    if not (meta.vip and meta.vip[key]) then
      error('The front matter has no "vip: ' .. key .. '".')
    end
  end
  words_slide = pandoc.Inlines(meta.vip['words-slide'] or {})
  if is_docx then
    docx_metadata(meta)
  end
  return meta
end

-- Our metadata is text: the template writes it into attributes, where a quotation mark would be the end.
local function inlines_of_html(doc)
  local function marks(str)
    if str.text:find('"', 1, true) then
      local text = str.text:gsub('&', '&amp;'):gsub('<', '&lt;'):gsub('>', '&gt;'):gsub('"', '&quot;')
      return pandoc.RawInline('html', text)
    end
  end
  doc.meta.vip['page-title'] = pandoc.MetaInlines({ pandoc.Str(stringify(doc.meta.title)) })
  doc.meta.vip = pandoc.Pandoc({}, { vip = doc.meta.vip }):walk({ Str = marks }).meta.vip
  doc.blocks = doc.blocks:walk({ Str = Str, Span = Span, Figure = Figure, Link = Link })
  return doc
end

return {
  { Meta = check_metadata },
  -- In Typst the title is no heading, and levels are one less; Typst itself refuses a gap there.
  { Pandoc = not is_typst and check_headings or nil },
  { Pandoc = is_docx and raise_headings or nil },
  { Div = function(div) return is_cell(div) and div.content or nil end },
  { Pandoc = is_html and inlines_of_html or nil },
  not is_html and { Str = Str, Span = Span, Figure = Figure, Link = Link } or {},
  { Para = Para, Table = Table },
  { Div = Div, Image = Image },
  { Blocks = Blocks },
}
