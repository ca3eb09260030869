using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Platform.Persistence.MySql.Migrations
{
    /// <inheritdoc />
    public partial class ConnectionHolders : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "connection_holders",
                table: "instances",
                type: "varchar(4000)",
                maxLength: 4000,
                nullable: true,
                collation: "utf8mb4_bin")
                .Annotation("MySql:CharSet", "utf8mb4");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "connection_holders",
                table: "instances");
        }
    }
}
